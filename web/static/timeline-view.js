/**
 * Which time a timeline shows, and how that changes: a person drags, throws and
 * zooms it, it travels to a moment, and it goes along with a playhead that runs.
 */
import { glide } from './timeline-gestures.js';
import { clamp, firstScale, Scale } from './timeline-scale.js';

/** @typedef {import('./timeline-scale.js').Limits} Limits */

/** Where the present is held, and a playhead that runs, as a share of the width. */
const holdAt = 0.88;

/** How long the way to another view takes, in milliseconds. */
const travelMs = 260;

/** The most that counts as the time of one frame, in milliseconds. */
const longFrameMs = 64;

export class TimelineView {
  #calm;
  #scale = new Scale(0, 3_600_000, 1);
  /** @type {Limits} */ #limits = { firstMs: 0, lastMs: 0 };
  #placed = false;
  /** Up to where the playhead runs before the view goes along, in pixels; null if it was left behind. @type {number | null} */
  #hold = 0;
  #speed = 0;
  /** @type {{ from: Scale, to: Scale, since: number } | null} */ #travel = null;
  #tickedAt = 0;

  /** @param {() => boolean} calm whether nothing should move by itself */
  constructor(calm) {
    this.#calm = calm;
  }

  get scale() {
    return this.#scale;
  }

  get limits() {
    return this.#limits;
  }

  /** Whether there is something to show. */
  get placed() {
    return this.#placed;
  }

  /** Whether it moves by itself. */
  get moving() {
    return this.#travel !== null || this.#speed !== 0;
  }

  /** Forgets what was chosen, for other recordings. */
  reset() {
    this.#placed = false;
    this.#hold = 0;
    this.stop();
  }

  /** Ends what moves by itself. */
  stop() {
    this.#speed = 0;
    this.#travel = null;
  }

  /** @param {number} width */
  resize(width) {
    const ratio = width / this.#scale.width;
    this.#scale = this.#scale.resized(width);
    if (this.#hold !== null) this.#hold *= ratio;
    this.#place();
  }

  /** @param {Limits} limits */
  set limits(limits) {
    this.#limits = limits;
    this.#place();
  }

  /** Where a person moves it. @param {Scale} scale @param {number} playheadMs */
  move(scale, playheadMs) {
    this.#travel = null;
    this.#scale = scale.within(this.#limits);
    this.hold(playheadMs);
  }

  /** A playhead that is in sight now is kept in sight. @param {number} playheadMs */
  hold(playheadMs) {
    const x = this.#scale.xOf(playheadMs);
    this.#hold = x >= 0 && x <= this.#scale.width ? x : null;
  }

  /** Goes along with a playhead that runs, unless a person has left it behind. @param {number} playheadMs */
  follow(playheadMs) {
    if (this.#hold === null || this.moving || !this.#placed) return;
    const limit = Math.max(this.#hold, this.#scale.width * holdAt);
    const x = this.#scale.xOf(playheadMs);
    if (x > limit) this.#scale = this.#scale.panned(limit - x).within(this.#limits);
  }

  /** Brings a moment into sight, and goes along with it from there. @param {number} ms */
  reveal(ms) {
    this.#hold = 0;
    const { width } = this.#scale;
    const x = (this.#travel?.to ?? this.#scale).xOf(ms);
    if (x >= width * 0.05 && x <= width * 0.95) return;
    const near = x > -width && x < 2 * width;
    this.#go(this.#scale.withTimeAt(ms, near ? (x < 0 ? 0.3 : 0.7) : 0.5));
  }

  /** Shows exactly that time. @param {number} fromMs @param {number} toMs */
  show(fromMs, toMs) {
    this.#hold = null;
    this.#go(new Scale(fromMs, toMs - fromMs, this.#scale.width));
  }

  /**
   * Zooms about the playhead, or about the middle if that is out of sight.
   *
   * @param {number} factor above 1 shows more
   * @param {number} playheadMs
   */
  zoom(factor, playheadMs) {
    const from = this.#travel?.to ?? this.#scale;
    const x = from.xOf(playheadMs);
    this.#go(from.zoomed(factor, x >= 0 && x <= from.width ? x : from.width / 2, this.#limits));
  }

  /** @param {number} speed in pixels a millisecond */
  fling(speed) {
    if (this.#calm()) return;
    this.#travel = null;
    this.#speed = speed;
  }

  /** @param {number} byPx how far what is shown moves to the right @returns {boolean} whether there was room */
  push(byPx) {
    const before = this.#scale.fromMs;
    this.#scale = this.#scale.panned(byPx).within(this.#limits);
    return this.#scale.fromMs !== before;
  }

  /**
   * Moves by itself as far as time has gone.
   *
   * @param {number} now milliseconds, of a clock that only goes forward
   * @param {number} playheadMs
   * @returns {number} the time since the last call, no more than a slow frame takes
   */
  tick(now, playheadMs) {
    const ms = clamp(now - this.#tickedAt, 0, longFrameMs);
    this.#tickedAt = now;
    if (this.#travel) {
      if (this.#travel.since < 0) this.#travel.since = now;
      const share = clamp((now - this.#travel.since) / travelMs, 0, 1);
      this.#scale = this.#travel.from.towards(this.#travel.to, 1 - (1 - share) ** 3);
      if (share === 1) this.#travel = null;
    }
    if (this.#speed !== 0) {
      const { byPx, speed } = glide(this.#speed, ms);
      this.#speed = this.push(byPx) ? speed : 0;
      this.hold(playheadMs);
    }
    return ms;
  }

  /** @param {Scale} scale */
  #go(scale) {
    this.#speed = 0;
    const to = scale.within(this.#limits);
    if (this.#calm()) this.#scale = to;
    else this.#travel = { from: this.#scale, to, since: -1 };
  }

  #place() {
    if (this.#placed || this.#limits.lastMs === 0 || this.#scale.width <= 1) return;
    this.#placed = true;
    this.#scale = firstScale(this.#scale.width, this.#limits);
  }
}
