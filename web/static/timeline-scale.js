/**
 * The part of time that a timeline shows, and how it maps to pixels. A Scale
 * never changes; panning and zooming make another one.
 */

/** The shortest and the longest time that a timeline shows at once, in milliseconds. */
export const shortestMs = 10_000;
export const longestMs = 70 * 86_400_000;

/** Room beside what is recorded, as a share of what is shown. */
const roomBefore = 0.5;
const roomAfter = 0.12;

/**
 * What there is to look at: from the first recording to now.
 *
 * @typedef {object} Limits
 * @property {number} firstMs
 * @property {number} lastMs
 */

export class Scale {
  /**
   * @param {number} fromMs milliseconds since 1970, at the left edge
   * @param {number} spanMs
   * @param {number} width in CSS pixels, at least 1
   */
  constructor(fromMs, spanMs, width) {
    this.fromMs = fromMs;
    this.spanMs = spanMs;
    this.width = Math.max(1, width);
  }

  get toMs() {
    return this.fromMs + this.spanMs;
  }

  /** How much time a pixel is. */
  get msPerPx() {
    return this.spanMs / this.width;
  }

  /** @param {number} ms @returns {number} in pixels from the left edge; may be outside */
  xOf(ms) {
    return (ms - this.fromMs) / this.msPerPx;
  }

  /** @param {number} x @returns {number} */
  timeAt(x) {
    return this.fromMs + x * this.msPerPx;
  }

  /** @param {number} ms @returns {boolean} whether it is in sight */
  shows(ms) {
    return ms >= this.fromMs && ms <= this.toMs;
  }

  /** @param {number} byPx how far what is shown moves to the right @returns {Scale} */
  panned(byPx) {
    return new Scale(this.fromMs - byPx * this.msPerPx, this.spanMs, this.width);
  }

  /**
   * @param {number} factor above 1 shows more time
   * @param {number} aboutX the pixel whose time stays where it is
   * @param {Limits} limits
   * @returns {Scale}
   */
  zoomed(factor, aboutX, limits) {
    const spanMs = clamp(this.spanMs * factor, shortestMs, widest(limits));
    return new Scale(this.timeAt(aboutX) - (aboutX / this.width) * spanMs, spanMs, this.width);
  }

  /** Shows the same time on another width. @param {number} width @returns {Scale} */
  resized(width) {
    return new Scale(this.fromMs, this.spanMs, width);
  }

  /**
   * @param {number} ms
   * @param {number} share of the width, from the left edge
   * @returns {Scale} that has the time there
   */
  withTimeAt(ms, share) {
    return new Scale(ms - this.spanMs * share, this.spanMs, this.width);
  }

  /**
   * Keeps some of what is recorded in sight.
   *
   * @param {Limits} limits
   * @returns {Scale}
   */
  within(limits) {
    const spanMs = clamp(this.spanMs, shortestMs, widest(limits));
    const latest = limits.lastMs + spanMs * roomAfter - spanMs;
    const earliest = Math.min(limits.firstMs - spanMs * roomBefore, latest);
    const middle = this.fromMs + this.spanMs / 2;
    const fromMs = clamp(middle - spanMs / 2, earliest, latest);
    return fromMs === this.fromMs && spanMs === this.spanMs ? this : new Scale(fromMs, spanMs, this.width);
  }

  /**
   * @param {Scale} other
   * @param {number} share from 0, this one, to 1, the other
   * @returns {Scale} on the way to the other; spans change by factors, so that zooming looks even
   */
  towards(other, share) {
    const spanMs = this.spanMs * (other.spanMs / this.spanMs) ** share;
    const from = this.fromMs + this.spanMs / 2;
    const middle = from + (other.fromMs + other.spanMs / 2 - from) * share;
    return new Scale(middle - spanMs / 2, spanMs, other.width);
  }
}

/**
 * The scale that a timeline begins with: enough to see what is going on, and not
 * so much that a recording that has just begun is a sliver.
 *
 * @param {number} width
 * @param {Limits} limits
 * @returns {Scale} with the end of the limits near the right edge
 */
export function firstScale(width, limits) {
  const usual = clamp(width * 6_000, 30 * 60_000, 3 * 3_600_000);
  const recorded = Math.max(0, limits.lastMs - limits.firstMs);
  const spanMs = clamp(recorded * 1.6, 60_000, usual);
  return new Scale(0, spanMs, width).withTimeAt(limits.lastMs, 1 - roomAfter);
}

/** @param {Limits} limits */
function widest({ firstMs, lastMs }) {
  return clamp((lastMs - firstMs) * 1.5, 10 * 60_000, longestMs);
}

/** @param {number} value @param {number} low @param {number} high @returns {number} */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), Math.max(low, high));
}
