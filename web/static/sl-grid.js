import { SlPlayer } from './sl-player.js';

const ratio = 16 / 9;
const gapPx = 10;

/**
 * The players of all cameras, side by side, or one of them alone. Players that
 * stay keep running when the choice changes.
 */
export class SlGrid extends HTMLElement {
  /** @type {Map<string, SlPlayer>} by camera id */ #players = new Map();
  #selected = '';
  #ownPeer = '';
  /** The publisher's recordings. @type {import('./library.js').Library | null} */ library = null;
  /** Set before it is shown: this browser has seen the cameras before. */
  known = false;
  #observer = new ResizeObserver(() => this.#arrange());

  connectedCallback() {
    this.#observer.observe(this);
    this.addEventListener('keydown', (event) => this.#move(event));
  }

  disconnectedCallback() {
    this.#observer.disconnect();
  }

  /** @param {string} peer this browser's own PeerID */
  set ownPeer(peer) {
    this.#ownPeer = peer;
  }

  /** The player that is shown alone. @returns {SlPlayer | null} */
  get chosen() {
    if (this.#players.size === 1) return [...this.#players.values()][0];
    return this.#players.get(this.#selected) ?? null;
  }

  /** @returns {SlPlayer[]} */
  get players() {
    return [...this.#players.values()];
  }

  /**
   * @param {import('./publisher.js').PublisherState} publisher
   * @param {string[]} cameras to show, in this order; "" is the first one
   * @param {string} selected the one to show alone, or empty
   */
  update(publisher, cameras, selected) {
    this.#name(publisher);
    this.#selected = selected;
    const shown = selected === '' ? cameras : [selected];
    for (const [id, player] of this.#players) {
      if (shown.includes(id)) continue;
      player.remove();
      this.#players.delete(id);
    }
    for (const id of shown) {
      const player = this.#players.get(id) ?? this.#add(id);
      player.classList.toggle('tile', shown.length > 1);
      player.update(publisher, id);
    }
    if (this.dataset.count !== String(shown.length)) {
      this.dataset.count = String(shown.length);
      this.#arrange();
    }
  }

  /** @param {string} id */
  #add(id) {
    const player = new SlPlayer();
    player.ownPeer = this.#ownPeer;
    player.known = this.known;
    player.library = this.library;
    this.#players.set(id, player);
    this.append(player);
    return player;
  }

  /**
   * Keeps the player of "the first camera" when the camera gets its name.
   *
   * @param {import('./publisher.js').PublisherState} publisher
   */
  #name({ cameras }) {
    const player = this.#players.get('');
    if (!player || !cameras?.[0]) return;
    this.#players.delete('');
    this.#players.set(cameras[0].id, player);
  }

  /** Chooses the number of columns that makes the pictures largest. */
  #arrange() {
    const count = this.#players.size;
    const { clientWidth: width, clientHeight: height } = this;
    const narrow = width < 640;
    let best = { columns: 1, tile: 0 };
    for (let columns = 1; columns <= count; columns++) {
      const rows = Math.ceil(count / columns);
      const byWidth = (width - gapPx * (columns - 1)) / columns;
      const byHeight = ((height - gapPx * (rows - 1)) / rows) * ratio;
      // A narrow screen has one column, whose pictures fill it, and scrolls.
      const tile = narrow ? (columns === 1 ? byWidth : 0) : Math.min(byWidth, byHeight);
      // Of nearly equal sizes the one with fewer rows fills the screen better.
      if (tile > best.tile * 0.95) best = { columns, tile };
    }
    this.style.setProperty('--columns', String(best.columns));
    if (narrow) this.style.removeProperty('--tile');
    else this.style.setProperty('--tile', `${Math.floor(best.tile)}px`);
  }

  /** @param {KeyboardEvent} event arrows go from tile to tile */
  #move(event) {
    const tiles = [...this.querySelectorAll('.tile .player-open')];
    const at = tiles.indexOf(/** @type {Element} */ (event.target));
    const columns = Number(this.style.getPropertyValue('--columns')) || 1;
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns });
    const next = at < 0 || steps[event.key] === undefined ? undefined : tiles[at + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    /** @type {HTMLElement} */ (next).focus();
  }
}

customElements.define('sl-grid', SlGrid);
