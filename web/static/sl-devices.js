import { h, redraw, setText } from './dom.js';
import { icon } from './icons.js';
import { shortPeerId } from './peerid.js';
import { reachWords } from './sl-words.js';

/** The devices of a home, and which of them know the newest list. Event "sl-replicate", to tell them again. */
export class SlDevices extends HTMLElement {
  #summary = h('p', { class: 'quiet', role: 'status', 'data-testid': 'access-devices-summary' });
  #list = h('ul', { class: 'rows' });
  #again = h(
    'button',
    { type: 'button', class: 'button', 'data-testid': 'access-replicate', onclick: () => this.dispatchEvent(new CustomEvent('sl-replicate')) },
    icon('retry'),
    'Try to reach them now',
  );
  #shown = '';

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.append(this.#summary, this.#list, this.#again);
  }

  /** @param {import('./trust.js').AccessView} access @param {import('./trust.js').Me | null} me */
  update({ publishers, version }, me) {
    const key = JSON.stringify([publishers, version, me?.role]);
    if (key === this.#shown) return;
    this.#shown = key;
    const missing = publishers.filter(({ state }) => state !== 'has it');
    if (publishers.length === 0) {
      setText(this.#summary, 'There is no list of owners yet: access at this agent was given on the device itself.');
    } else if (missing.length === 0) {
      setText(this.#summary, publishers.length === 1 ? 'The device knows the newest list.' : 'All devices know the newest list.');
    } else {
      setText(this.#summary, 'A device that was not reached goes by the list that it knows. It is told as soon as an owner’s page reaches it.');
    }
    this.#again.hidden = missing.length === 0 || me?.role !== 'owner';
    redraw(this.#list, ...publishers.map((each) => deviceRow(each, 'access-device')));
  }
}

/**
 * @param {import('./trust.js').Reach} reach
 * @param {string} testid
 */
export function deviceRow({ id, name, kind, state, problem }, testid) {
  return h(
    'li',
    { class: 'row', 'data-testid': testid, 'data-peer': id, 'data-reach': state },
    h('span', { class: 'row-symbol' }, icon(kind === 'recorder' ? 'recorder' : 'camera')),
    h(
      'div',
      { class: 'row-text' },
      h('strong', {}, name || shortPeerId(id)),
      h('span', {}, [kind === 'recorder' ? 'Recorder' : 'Agent', name ? shortPeerId(id) : '', state === 'has it' ? '' : problem].filter(Boolean).join(' · ')),
    ),
    h('span', { class: 'mark' }, icon(state === 'has it' ? 'done' : 'clock'), reachWords[state] ?? state),
  );
}

customElements.define('sl-devices', SlDevices);
