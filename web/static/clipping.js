/**
 * The range that is marked on a timeline, and what is done with it: saved as a
 * file, or kept from being deleted.
 */
import { ApiError } from './api.js';
import { Download } from './download.js';
import { SlClip } from './sl-clip.js';

/** A range that is marked anew has this share of what is in sight. */
const newShare = 0.16;

/** The shortest range that is marked anew, in milliseconds. */
const shortestMs = 10_000;

export class Clipping {
  // Constant after construction.
  #library;
  #camera;
  #timeline;
  #position;
  #rendition;
  #onchange;

  /** What shows it. */
  element = new SlClip();
  /** @type {Download | null} */ #download = null;
  #admin = false;

  /**
   * @param {object} options
   * @param {import('./library.js').Library} options.library
   * @param {string} options.camera
   * @param {import('./sl-timeline.js').SlTimeline} options.timeline
   * @param {() => number} options.position where a new range begins
   * @param {() => string | undefined} options.rendition what is saved
   * @param {() => void} options.onchange clips are kept, or are no longer
   */
  constructor({ library, camera, timeline, position, rendition, onchange }) {
    this.#library = library;
    this.#camera = camera;
    this.#timeline = timeline;
    this.#position = position;
    this.#rendition = rendition;
    this.#onchange = onchange;
    const { element } = this;
    element.hidden = true;
    element.addEventListener('sl-download', () => void this.#save());
    element.addEventListener('sl-cancel', () => this.#download?.cancel());
    element.addEventListener('sl-keep', (event) => void this.#keep(/** @type {CustomEvent} */ (event).detail.name));
    element.addEventListener('sl-release', (event) => void this.#release(/** @type {CustomEvent} */ (event).detail.id));
    element.addEventListener('sl-close', () => this.mark(null));
    timeline.addEventListener('sl-range', () => {
      element.progress(null);
      this.#show();
    });
  }

  /** Gives up what is under way. */
  close() {
    this.#download?.cancel();
  }

  get marked() {
    return this.#timeline.range !== null;
  }

  /** @param {boolean} admin whether this browser may keep clips */
  set admin(admin) {
    if (admin === this.#admin) return;
    this.#admin = admin;
    this.#show();
  }

  /** Marks a range at the playhead, or what is kept there already; or nothing any more. */
  toggle() {
    if (this.marked) return this.mark(null);
    const { scale, piece } = this.#timeline;
    const nowMs = this.#library.nowMs();
    const at = Math.min(this.#position(), nowMs);
    const kept = piece.locks.find(({ fromMs, toMs }) => fromMs <= at && at < toMs);
    const length = Math.max(shortestMs, scale.spanMs * newShare);
    const toMs = Math.min(nowMs, at + length / 2);
    this.mark(kept ? { fromMs: kept.fromMs, toMs: kept.toMs } : { fromMs: toMs - length, toMs });
  }

  /** @param {{ fromMs: number, toMs: number } | null} range */
  mark(range) {
    this.#timeline.range = range;
    if (range) this.#timeline.reveal((range.fromMs + range.toMs) / 2);
    this.element.progress(null);
    this.#show();
    this.#onchange();
  }

  /** What is known of the timeline has changed. */
  update() {
    if (this.marked) this.#show();
  }

  #show() {
    const { range, piece } = this.#timeline;
    const lock = range ? (piece.locks.find(({ fromMs, toMs }) => fromMs < range.toMs && toMs > range.fromMs) ?? null) : null;
    this.element.show(range, { admin: this.#admin, lock });
  }

  async #save() {
    const { range } = this.#timeline;
    if (!range) return;
    const download = new Download({
      recordings: this.#library.recordings,
      camera: this.#camera,
      range: { ...range, rendition: this.#rendition() },
      onProgress: (progress) => {
        if (this.#download === download) this.element.progress(progress);
      },
    });
    this.#download = download;
    const progress = await download.start();
    if (this.#download !== download) return;
    this.#download = null;
    this.element.progress(progress);
  }

  /** @param {string} name */
  async #keep(name) {
    const { range } = this.#timeline;
    if (!range) return;
    await this.#change(() => this.#library.recordings.lock(this.#camera, { ...range, name }), 'Kept');
  }

  /** @param {string} id */
  async #release(id) {
    await this.#change(() => this.#library.recordings.unlock(this.#camera, id), 'Kept no longer');
  }

  /** @param {() => Promise<unknown>} change @param {string} done what to say then */
  async #change(change, done) {
    try {
      await change();
      this.element.say(done);
      this.#onchange();
    } catch (error) {
      this.element.say(refusalInWords(error));
    }
  }
}

/**
 * @param {unknown} error
 * @returns {string} a sentence
 */
export function refusalInWords(error) {
  if (error instanceof ApiError) return error.message;
  console.warn('sightline: the recorder did not answer', error);
  return 'The recorder did not answer. Try again.';
}
