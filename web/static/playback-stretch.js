/**
 * What is on a reel: pieces of one stretch of a recording, their frames, and when
 * each of them was recorded.
 */
import { videoTimescale } from './playback-boxes.js';
import { end, gapUs } from './playback-table.js';

/**
 * @typedef {import('./playback-table.js').Piece} Piece
 *
 * @typedef {object} ReelFrame
 * @property {number} time on the reel, in seconds
 * @property {number} duration until the next one
 *
 * @typedef {object} Placed a piece on the reel
 * @property {Piece} piece
 * @property {number} start on the reel, in seconds
 * @property {number} end
 * @property {Anchor} anchor
 *
 * @typedef {object} Anchor a key frame, whose times are known exactly
 * @property {number} us wall time
 * @property {number} time on the reel
 */

/** Half a tick: for times that were rounded, in seconds. */
const slack = 0.5 / videoTimescale;

/** A frame is behind the end of its stretch by less than this, in seconds. */
const endSeconds = 1;

export class Stretch {
  #keyFramesOnly;
  /** @type {Placed[]} in order */ #placed = [];
  /** @type {ReelFrame[]} in the order in which they are shown */ #frames = [];

  /** @param {boolean} keyFramesOnly whether a piece stands for those that follow it, too */
  constructor(keyFramesOnly) {
    this.#keyFramesOnly = keyFramesOnly;
  }

  /** @returns {readonly Placed[]} in order */
  get placed() {
    return this.#placed;
  }

  /** @returns {readonly ReelFrame[]} in the order in which they are shown */
  get frames() {
    return this.#frames;
  }

  /** @returns {Placed | undefined} */
  get first() {
    return this.#placed[0];
  }

  /** @returns {Placed | undefined} */
  get last() {
    return this.#placed.at(-1);
  }

  /** Where it ends on the reel, in seconds; 0 while it is empty. */
  get end() {
    return this.last?.end ?? 0;
  }

  /**
   * Puts a piece behind the last one.
   *
   * @param {{ piece: Piece, start: number, end: number }} placed on the reel, in seconds
   * @param {number[]} times of its frames on the reel
   */
  put({ piece, start, end }, times) {
    // Where a group of pictures is cut, the start of a fragment is the time of a frame that may be shown later.
    const anchor = piece.fragment.key || !this.last ? { us: piece.fragment.startUs, time: start } : this.last.anchor;
    this.#placed.push({ piece, start, end, anchor });
    // There, too, frames from before the cut may be shown after some from behind it.
    const least = Math.min(...times);
    const from = Math.max(0, this.#frames.findLastIndex((frame) => frame.time < least));
    const rest = [...this.#frames.splice(from), ...times.map((time) => ({ time, duration: 0 }))].sort((a, b) => a.time - b.time);
    rest.forEach((frame, i) => (frame.duration = (rest[i + 1]?.time ?? Math.max(end, frame.time + slack)) - frame.time));
    this.#frames.push(...rest);
  }

  /**
   * Forgets pieces that end before a time.
   *
   * @param {number} time
   * @returns {number | null} where it begins now; null if it is as before
   */
  forgetBefore(time) {
    const stay = this.#placed.findIndex((placed) => placed.end > time);
    if (stay < 1) return null;
    this.#placed.splice(0, stay);
    const { start } = this.#placed[0];
    this.#frames.splice(0, this.#frames.findIndex((frame) => frame.time >= start - slack));
    return start;
  }

  /** @param {Piece} piece @returns {boolean} */
  has(piece) {
    return this.#placedOf(piece) !== undefined;
  }

  /**
   * @param {Piece} piece
   * @param {'first' | 'last'} edge
   * @returns {ReelFrame | null} a frame of the piece; of the last one there is if it is not here
   */
  edge(piece, edge) {
    const placed = this.#placedOf(piece) ?? this.last;
    return placed ? this.frameOn(edge === 'first' ? placed.start : placed.end - 2 * slack) : null;
  }

  /**
   * When a frame was recorded.
   *
   * @param {number} time on the reel
   * @returns {number | null} wall time in microseconds; null if it is of another stretch
   */
  wallUs(time) {
    const placed = this.#placed.findLast(({ start }) => start <= time + slack);
    if (!placed || time > this.end + endSeconds) return null;
    const { anchor } = placed;
    return anchor.us + (time - anchor.time) * 1e6 * this.#speed(anchor);
  }

  /** @param {number} us wall time @returns {number} on the reel, in seconds; NaN before all of it */
  timeOf(us) {
    const anchor = this.#placed.findLast((placed) => placed.anchor.us <= us)?.anchor;
    return anchor ? anchor.time + (us - anchor.us) / 1e6 / this.#speed(anchor) : NaN;
  }

  /** @param {number} us wall time @returns {ReelFrame | null} null if it is not here */
  frameAt(us) {
    const time = this.timeOf(us);
    return time <= this.end + gapUs / 1e6 ? this.frameOn(time) : null;
  }

  /** @param {Piece} piece @param {number} us wall time @returns {ReelFrame | null} the frame of that time, else the nearest of the piece */
  nearest(piece, us) {
    return this.frameAt(us) ?? this.edge(piece, us > end(piece) ? 'last' : 'first');
  }

  /** @param {number} time on the reel @returns {ReelFrame | null} what is shown then */
  frameOn(time) {
    return this.#frames.findLast((frame) => frame.time <= time + slack) ?? this.#frames[0] ?? null;
  }

  /**
   * The frame after another (1) or before it (-1).
   *
   * @param {ReelFrame} frame
   * @param {1 | -1} direction
   * @returns {ReelFrame | null} null if it is not here
   */
  beside(frame, direction) {
    return this.#frames[this.#frames.indexOf(frame) + direction] ?? null;
  }

  /** @param {Piece} piece @returns {Placed | undefined} what shows it */
  #placedOf({ fragment: { startUs } }) {
    return this.#placed.findLast(({ piece: { fragment } }) => fragment.startUs === startUs || (this.#keyFramesOnly && fragment.startUs < startUs));
  }

  /** @param {Anchor} anchor @returns {number} how much faster than the camera's clock the wall's ran, up to the next key frame */
  #speed({ us, time }) {
    const next = this.#placed.find(({ anchor }) => anchor.time > time)?.anchor;
    const speed = next ? (next.us - us) / 1e6 / (next.time - time) : 1;
    return Math.abs(speed - 1) < 0.1 ? speed : 1;
  }
}
