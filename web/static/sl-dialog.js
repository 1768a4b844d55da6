import { h } from './dom.js';
import { icon } from './icons.js';

/**
 * What the page's dialogs have in common: a title, a way out, and a body that
 * each of them fills. Event "sl-close", when it has been closed.
 */
export class SlDialog extends HTMLElement {
  /** Where the content goes. */
  body = h('div', { class: 'dialog-body' });
  #dialog;

  /**
   * @param {string} kind a word for the style sheet, for ids and for tests
   * @param {string} title
   */
  constructor(kind, title) {
    super();
    const close = () => this.close();
    this.#dialog = h(
      'dialog',
      { class: `dialog-${kind}`, 'aria-labelledby': `${kind}-title`, 'data-testid': `${kind}-dialog` },
      h(
        'div',
        { class: 'dialog-head' },
        h('h2', { id: `${kind}-title` }, title),
        h('button', { type: 'button', class: 'control', title: 'Close', 'aria-label': 'Close', onclick: close }, icon('close')),
      ),
      this.body,
    );
  }

  /** Whether it is on the screen. */
  get shown() {
    return this.#dialog.open;
  }

  connectedCallback() {
    if (this.#dialog.isConnected) return;
    this.append(this.#dialog);
    // A press on the page behind closes it; one that began inside does not.
    let outside = false;
    this.#dialog.addEventListener('pointerdown', (event) => (outside = event.target === this.#dialog));
    this.#dialog.addEventListener('click', (event) => {
      if (outside && event.target === this.#dialog) this.close();
    });
    this.#dialog.addEventListener('close', () => this.dispatchEvent(new CustomEvent('sl-close')));
  }

  /** Shows it above the page. */
  show() {
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  close() {
    this.#dialog.close();
  }
}
