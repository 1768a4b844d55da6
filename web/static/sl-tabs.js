import { h } from './dom.js';

/** @typedef {{ id: string, label: string, panel: HTMLElement }} Tab */

/**
 * Tabs and their panels, by the pattern of the ARIA Authoring Practices Guide:
 * one tab is in the tab order, arrows choose another. Event "sl-tab", with the
 * id of the tab as its detail.
 */
export class SlTabs extends HTMLElement {
  #tabs;
  #buttons;

  /**
   * @param {string} name of the whole, for ids and tests
   * @param {Tab[]} tabs
   */
  constructor(name, tabs) {
    super();
    this.#tabs = tabs;
    this.#buttons = tabs.map(({ id, label, panel }) => {
      panel.id = `${name}-panel-${id}`;
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', `${name}-tab-${id}`);
      panel.tabIndex = 0;
      return h('button', { type: 'button', role: 'tab', id: `${name}-tab-${id}`, 'aria-controls': panel.id, class: 'tab',
        'data-testid': `${name}-tab-${id}`, onclick: () => this.choose(id) }, label);
    });
  }

  connectedCallback() {
    if (this.childElementCount > 0) return;
    const bar = h('div', { role: 'tablist', class: 'segments', onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) }, ...this.#buttons);
    this.append(bar, ...this.#tabs.map(({ panel }) => panel));
  }

  /** @param {string} chosen */
  choose(chosen) {
    this.#tabs.forEach(({ id, panel }, i) => {
      panel.hidden = id !== chosen;
      this.#buttons[i].setAttribute('aria-selected', String(id === chosen));
      this.#buttons[i].tabIndex = id === chosen ? 0 : -1;
    });
    this.dispatchEvent(new CustomEvent('sl-tab', { detail: chosen }));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this.#buttons.findIndex((each) => each === event.target);
    if (by === undefined || at < 0) return;
    event.preventDefault();
    const next = (at + by + this.#tabs.length) % this.#tabs.length;
    this.choose(this.#tabs[next].id);
    this.#buttons[next].focus();
  }
}

customElements.define('sl-tabs', SlTabs);
