import { h } from './dom.js';
import { icon, setIcon } from './icons.js';
import { groupPeerId } from './peerid.js';

/** A PeerID to read out, compare and copy. Set its "peer" property. */
export class SlPeerId extends HTMLElement {
  #code = h('code', { class: 'peer-id-text', 'data-testid': 'peer-id' });
  #button = h(
    'button',
    { type: 'button', class: 'button', 'aria-label': 'Copy the ID', onclick: () => void this.#copy() },
    icon('copy'),
    h('span', {}, 'Copy'),
  );
  #peer = '';

  get peer() {
    return this.#peer;
  }

  set peer(id) {
    this.#peer = id;
    this.#code.textContent = groupPeerId(id);
  }

  connectedCallback() {
    if (!this.#code.isConnected) this.append(this.#code, this.#button);
  }

  async #copy() {
    const label = this.#button.querySelector('span');
    let text = 'Copied';
    try {
      await navigator.clipboard.writeText(this.#peer);
      setIcon(this.#button, 'done');
    } catch {
      getSelection()?.selectAllChildren(this.#code);
      text = 'Press Ctrl+C';
    }
    if (label) label.textContent = text;
    setTimeout(() => {
      setIcon(this.#button, 'copy');
      if (label) label.textContent = 'Copy';
    }, 2000);
  }
}

customElements.define('sl-peer-id', SlPeerId);
