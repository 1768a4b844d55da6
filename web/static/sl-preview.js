import { h, setText } from './dom.js';
import { clockInWords, dayName, startOfDay } from './local-time.js';

/** Width of the picture in pixels of its canvas; it is shown at half of that. */
const pictureWidth = 400;

/**
 * Draws key frames on a canvas: a Scrub, or what stands in for one in a test.
 *
 * @typedef {object} Previewer
 * @property {(ms: number, toleranceMs?: number) => void} show
 * @property {() => void} close
 *
 * @typedef {(options: { canvas: HTMLCanvasElement, onPicture: (timeMs: number) => void }) => Previewer | null} MakePreviewer
 *   null where this browser cannot decode single pictures
 */

/**
 * What a moment looks like, above the timeline: the key frame nearest to it, its
 * time, and what is to be said of it. Event "sl-picture" whenever a key frame was
 * drawn, with its time as the detail.
 */
export class SlPreview extends HTMLElement {
  /** The picture, for whoever wants to show it larger. */
  canvas = h('canvas', { width: pictureWidth, height: (pictureWidth * 9) / 16, 'aria-hidden': 'true' });
  #time = h('p', { class: 'preview-time' });
  #words = h('p', { class: 'preview-words' });
  /** @type {Previewer | null} */ #previewer = null;
  /** @type {MakePreviewer | null} */ #make = null;
  #at = { x: 0, width: 0 };

  connectedCallback() {
    if (this.#time.isConnected) return;
    this.hidden = true;
    this.setAttribute('aria-hidden', 'true');
    this.append(this.canvas, this.#time, this.#words);
    this.canvas.hidden = true;
  }

  /** @param {MakePreviewer | null} make */
  set previewer(make) {
    this.#previewer?.close();
    this.#previewer = null;
    this.#make = make;
    this.canvas.hidden = true;
  }

  /**
   * @param {object} moment
   * @param {number} moment.x where it is, in pixels of the element that the preview is in
   * @param {number} moment.ms
   * @param {number} moment.nowMs
   * @param {number} moment.width of the element that the preview is in
   * @param {boolean} moment.recorded whether there is a picture
   * @param {string} moment.words what is to be said of it; may be empty
   * @param {number} moment.msPerPx how exact the picture has to be
   */
  show({ x, ms, nowMs, width, recorded, words, msPerPx }) {
    this.hidden = false;
    const day = startOfDay(ms) === startOfDay(nowMs) ? '' : `${dayName(ms)}, `;
    setText(this.#time, day + clockInWords(ms));
    setText(this.#words, words);
    this.#words.hidden = words === '';
    if (!recorded) this.canvas.hidden = true;
    else this.#ask(ms, msPerPx);
    this.#at = { x, width };
    this.#place();
  }

  hide() {
    this.hidden = true;
  }

  /** Keeps it within the element that it is in, however wide it has become. */
  #place() {
    const { x, width } = this.#at;
    const half = this.offsetWidth / 2;
    const left = Math.min(Math.max(x, half), Math.max(half, width - half));
    this.style.transform = `translate(${Math.round(left - half)}px, 0)`;
  }

  /** @param {number} ms @param {number} msPerPx */
  #ask(ms, msPerPx) {
    this.#previewer ??= this.#make?.({ canvas: this.canvas, onPicture: (timeMs) => this.#drawn(timeMs) }) ?? null;
    this.#previewer?.show(ms, msPerPx * 2);
  }

  /** @param {number} timeMs */
  #drawn(timeMs) {
    this.canvas.hidden = false;
    this.#place();
    this.dispatchEvent(new CustomEvent('sl-picture', { detail: timeMs, bubbles: true }));
  }
}

customElements.define('sl-preview', SlPreview);
