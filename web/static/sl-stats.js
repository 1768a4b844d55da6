import { h, setText } from './dom.js';
import { describeStats } from './player-stats.js';

/** The panel of numbers over a picture. Call show() with fresh statistics. */
export class SlStats extends HTMLElement {
  #list = h('dl', {});
  /** @type {Map<string, HTMLElement>} values by label */ #values = new Map();

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', 'Statistics');
    this.append(this.#list);
  }

  /** @param {import('./player-stats.js').PlayerStats} stats */
  show(stats) {
    const rows = describeStats(stats);
    const labels = rows.map(([label]) => label).join();
    if (labels !== [...this.#values.keys()].join()) {
      this.#values = new Map(rows.map(([label]) => [label, h('dd', {})]));
      this.#list.replaceChildren(...[...this.#values].flatMap(([label, value]) => [h('dt', {}, label), value]));
    }
    for (const [label, text] of rows) setText(/** @type {HTMLElement} */ (this.#values.get(label)), text);
  }
}

customElements.define('sl-stats', SlStats);
