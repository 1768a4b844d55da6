import { h } from './dom.js';
import { groupPeerId } from './peerid.js';
import { SlCopy } from './sl-copy.js';

/** A PeerID to read out, compare and copy. Set its "peer" property. */
export class SlPeerId extends HTMLElement {
  #code = h('code', { class: 'peer-id-text', 'data-testid': 'peer-id' });
  #copy = new SlCopy();

  constructor() {
    super();
    this.#copy.label = 'Copy the ID';
    this.#copy.source = this.#code;
  }

  get peer() {
    return this.#copy.text;
  }

  set peer(id) {
    this.#copy.text = id;
    this.#code.textContent = groupPeerId(id);
  }

  connectedCallback() {
    if (!this.#code.isConnected) this.append(this.#code, this.#copy);
  }
}

customElements.define('sl-peer-id', SlPeerId);
