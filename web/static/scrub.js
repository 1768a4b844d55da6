/**
 * Previews while somebody looks for a moment: the key frame nearest to a time,
 * decoded by WebCodecs.
 */
import { Stills } from './stills.js';

/** Requests under way at a time; of others only the newest is remembered. */
const width = 2;

/** Pictures that are kept. */
const kept = 48;

/** @typedef {{ timeMs: number, bitmap: ImageBitmap }} Still */

export class Scrub {
  /** Whether this browser can decode single pictures at all. @returns {boolean} */
  static get supported() {
    return Stills.supported;
  }

  #canvas;
  #recordings;
  #camera;
  #rendition;
  #onPicture;
  #onTrouble;
  #stills;
  #closed = new AbortController();
  /** @type {Still[]} the last used at the end */ #kept = [];
  /** @type {{ ms: number, number: number } | null} what is to be asked for next */ #wanted = null;
  #number = 0;
  #drawn = 0;
  #busy = 0;
  #trouble = '';

  /**
   * @param {object} options
   * @param {HTMLCanvasElement} options.canvas its width is kept, its height follows the picture's shape
   * @param {Pick<import('./recordings.js').Recordings, 'keyFrame'>} options.recordings
   * @param {string} options.camera
   * @param {string} [options.rendition] default "main"; "sub" is quicker where there is one
   * @param {(timeMs: number) => void} [options.onPicture] called with the time of the picture that was drawn
   * @param {(message: string) => void} [options.onTrouble] called with a sentence if pictures cannot be shown, and with
   *   an empty one once they can
   * @param {Pick<Stills, 'decode' | 'close'>} [options.stills] what decodes
   */
  constructor({ canvas, recordings, camera, rendition = 'main', onPicture = () => {}, onTrouble = () => {}, stills = new Stills() }) {
    this.#canvas = canvas;
    this.#recordings = recordings;
    this.#camera = camera;
    this.#rendition = rendition;
    this.#onPicture = onPicture;
    this.#onTrouble = onTrouble;
    this.#stills = stills;
  }

  /**
   * Draws the key frame nearest to a time as soon as it is there, unless another
   * time was asked for meanwhile.
   *
   * @param {number} ms
   * @param {number} [toleranceMs] a picture this near that is there already will do
   */
  show(ms, toleranceMs = 0) {
    if (this.#closed.signal.aborted) return;
    const number = ++this.#number;
    const near = this.#nearest(ms);
    if (near) this.#draw(near, number);
    if (near && Math.abs(near.timeMs - ms) <= toleranceMs) {
      this.#wanted = null;
      return;
    }
    this.#wanted = { ms, number };
    this.#ask();
  }

  /** Stops what is under way. Idempotent. */
  close() {
    this.#closed.abort();
    this.#wanted = null;
    this.#stills.close();
    for (const { bitmap } of this.#kept.splice(0)) bitmap.close();
  }

  /** Asks for what is wanted, if there is room for it. */
  #ask() {
    const wanted = this.#wanted;
    if (!wanted || this.#busy >= width) return;
    this.#wanted = null;
    this.#busy += 1;
    this.#fetch(wanted)
      .then(() => this.#tell(''))
      .catch((error) => this.#failed(error))
      .finally(() => {
        this.#busy -= 1;
        this.#ask();
      });
  }

  /** @param {{ ms: number, number: number }} wanted */
  async #fetch({ ms, number }) {
    const { signal } = this.#closed;
    const frame = await this.#recordings.keyFrame(this.#camera, { atMs: ms, rendition: this.#rendition, signal });
    const there = this.#kept.find(({ timeMs }) => timeMs === frame.timeMs);
    const still = there ?? { timeMs: frame.timeMs, bitmap: await this.#stills.decode(frame, this.#canvas.width) };
    if (signal.aborted) return still.bitmap.close();
    this.#keep(still);
    this.#draw(still, number);
  }

  /** @param {unknown} error */
  #failed(error) {
    if (this.#closed.signal.aborted) return;
    console.debug('sightline: a preview cannot be shown', error);
    this.#tell(error instanceof Error && ['ApiError', 'StillError', 'NoSessionError'].includes(error.name) ? error.message : 'There is no preview at the moment.');
  }

  /** @param {string} message */
  #tell(message) {
    if (message === this.#trouble) return;
    this.#trouble = message;
    this.#onTrouble(message);
  }

  /** @param {number} ms @returns {Still | undefined} the nearest of those that are kept */
  #nearest(ms) {
    let best = this.#kept[0];
    for (const each of this.#kept) if (Math.abs(each.timeMs - ms) < Math.abs(best.timeMs - ms)) best = each;
    return best;
  }

  /** @param {Still} still */
  #keep(still) {
    this.#kept = [...this.#kept.filter((each) => each !== still), still];
    for (const { bitmap } of this.#kept.splice(0, this.#kept.length - kept)) bitmap.close();
  }

  /** @param {Still} still @param {number} number of the wish that it comes from */
  #draw(still, number) {
    if (number < this.#drawn) return;
    this.#drawn = number;
    const { bitmap, timeMs } = still;
    const canvas = this.#canvas;
    const height = Math.round((canvas.width * bitmap.height) / bitmap.width);
    if (canvas.height !== height) canvas.height = height;
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, height);
    this.#keep(still);
    this.#onPicture(timeMs);
  }
}
