import { h } from './dom.js';
import { icon } from './icons.js';
import { SlPeerId } from './sl-peer-id.js';

/** The keys of the page, for the list in the dialog. @type {[string, string][]} */
const shortcuts = [
  ['m', 'Sound on or off'],
  ['f', 'Full screen'],
  ['s', 'Statistics'],
  ['p', 'Picture in picture'],
  ['↑ ↓', 'Louder, quieter'],
  ['← →', 'Previous, next camera'],
  ['g', 'All cameras'],
];

/** A dialog about this browser: its identity, and the keys. */
export class SlAbout extends HTMLElement {
  #id = new SlPeerId();
  #note = h('p', { class: 'hint' });
  #dialog = h(
    'dialog',
    { 'aria-labelledby': 'about-title' },
    h(
      'header',
      {},
      h('h2', { id: 'about-title' }, 'This browser'),
      h('button', { type: 'button', class: 'control', 'aria-label': 'Close', onclick: () => this.#dialog.close() }, icon('close')),
    ),
    h('p', {}, 'Agents know this browser by its ID. The owner of an agent puts it on the list of those who may watch.'),
    this.#id,
    this.#note,
    h('h3', {}, 'Keys'),
    h('dl', { class: 'keys' }, ...shortcuts.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)])),
  );

  connectedCallback() {
    if (this.#dialog.isConnected) return;
    this.append(this.#dialog);
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
  }

  /** @param {import('./identity.js').Identity} identity */
  open({ peerId, persistent }) {
    this.#id.peer = peerId;
    this.#note.textContent = persistent
      ? 'Its key is stored in this browser only and cannot be taken out of it.'
      : 'This browser stores nothing for this page, so the ID is another one the next time.';
    this.#dialog.showModal();
  }
}

customElements.define('sl-about', SlAbout);
