import { writeAddress } from './address.js';
import { h } from './dom.js';

/** The list of cameras beside a picture that is shown alone. */
export class SlRail extends HTMLElement {
  #list = h('ul', {});
  #shown = '';

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.append(h('nav', { 'aria-label': 'Cameras' }, this.#list));
  }

  /**
   * @param {string} peer
   * @param {import('./publisher.js').Camera[]} cameras
   * @param {string} selected
   */
  update(peer, cameras, selected) {
    const key = JSON.stringify([peer, selected, cameras.map(({ id, name, state }) => [id, name, state])]);
    if (key === this.#shown) return;
    this.#shown = key;
    const focused = this.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : null;
    this.#list.replaceChildren(...cameras.map((camera) => entry(peer, camera, camera.id === selected)));
    const link = [...this.#list.querySelectorAll('a')].find((each) => each.getAttribute('href') === focused);
    link?.focus();
  }
}

/**
 * @param {string} peer
 * @param {import('./publisher.js').Camera} camera
 * @param {boolean} current
 */
function entry(peer, { id, name, state }, current) {
  const words = { live: 'live', connecting: 'connecting', offline: 'offline' };
  return h(
    'li',
    {},
    h(
      'a',
      { href: writeAddress(peer, id), 'aria-current': current ? 'true' : null, 'data-state': state },
      h('span', { class: 'dot', 'aria-hidden': 'true' }),
      h('span', { class: 'rail-name' }, name || id),
      h('span', { class: 'hidden' }, `, ${words[state] ?? ''}`),
    ),
  );
}

customElements.define('sl-rail', SlRail);
