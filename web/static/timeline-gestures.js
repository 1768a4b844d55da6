/**
 * What fingers and mice do on a timeline: press, drag, throw, pinch. Knows no
 * elements; it is told of pointers and says what they mean.
 */

/**
 * @typedef {{ id: number, x: number, t: number }} Point t: milliseconds
 *
 * @typedef {object} Actions
 * @property {(x: number) => 'scrub' | 'pan'} grab what a press at a place takes hold of
 * @property {(x: number) => void} tap
 * @property {(byPx: number) => void} pan
 * @property {(factor: number, aboutX: number) => void} zoom above 1 shows more
 * @property {(pxPerMs: number) => void} fling a pan goes on by itself
 * @property {(x: number) => void} scrub
 * @property {(x: number, done: boolean) => void} drop the scrubbing is over; done is false if it was taken back
 */

/** A pointer that moves less than this is pressing, not dragging, in pixels. */
const dragPx = 5;

/** A throw is measured over this time before the release, in milliseconds. */
const throwMs = 110;

/** The slowest throw, in pixels a millisecond. */
const slowest = 0.12;

/** Fingers closer together than this tell no more about the factor, in pixels. */
const closestPx = 24;

export class Gestures {
  #actions;
  /** @type {Map<number, Point>} */ #points = new Map();
  /** @type {Point[]} the latest of a drag, oldest first */ #trail = [];
  /** @type {'none' | 'press' | 'pan' | 'scrub' | 'pinch'} */ #doing = 'none';
  /** @type {'scrub' | 'pan'} */ #grabbed = 'pan';
  #startX = 0;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
  }

  /** What is going on. */
  get doing() {
    return this.#doing;
  }

  /** @param {Point} point */
  down(point) {
    this.#points.set(point.id, point);
    if (this.#points.size === 1) {
      this.#doing = 'press';
      this.#startX = point.x;
      this.#trail = [point];
      this.#grabbed = this.#actions.grab(point.x);
    } else {
      if (this.#doing === 'scrub') this.#actions.drop(point.x, false);
      this.#doing = 'pinch';
    }
  }

  /** @param {Point} point */
  move(point) {
    const before = this.#points.get(point.id);
    if (!before) return;
    if (this.#doing === 'pinch') return this.#pinch(before, point);
    this.#points.set(point.id, point);
    this.#trail = [...this.#trail.filter(({ t }) => point.t - t <= throwMs), point];
    if (this.#doing === 'press') {
      if (Math.abs(point.x - this.#startX) < dragPx) return;
      this.#doing = this.#grabbed;
      // The way up to here counts: what was taken hold of stays under the finger.
      if (this.#doing === 'pan') this.#actions.pan(point.x - this.#startX);
    } else if (this.#doing === 'pan') this.#actions.pan(point.x - before.x);
    if (this.#doing === 'scrub') this.#actions.scrub(point.x);
  }

  /** @param {Point} point */
  up(point) {
    if (!this.#points.delete(point.id)) return;
    switch (this.#doing) {
      case 'press':
        this.#actions.tap(point.x);
        break;
      case 'scrub':
        this.#actions.drop(point.x, true);
        break;
      case 'pan':
        this.#throw(point);
        break;
      case 'pinch':
        return this.#lift(point.t);
      default:
    }
    this.#doing = 'none';
  }

  /** The system has taken the pointer away. @param {number} id */
  cancel(id) {
    const point = this.#points.get(id);
    if (!point) return;
    this.#points.delete(id);
    if (this.#doing === 'scrub') this.#actions.drop(point.x, false);
    if (this.#doing === 'pinch') return this.#lift(point.t);
    this.#doing = 'none';
  }

  /** @param {Point} before @param {Point} point */
  #pinch(before, point) {
    const other = [...this.#points.values()].find(({ id }) => id !== point.id);
    this.#points.set(point.id, point);
    if (!other) return;
    const was = Math.max(closestPx, Math.abs(before.x - other.x));
    const is = Math.max(closestPx, Math.abs(point.x - other.x));
    this.#actions.pan((point.x - before.x) / 2);
    this.#actions.zoom(was / is, (point.x + other.x) / 2);
  }

  /** One finger of several has left: those that stay go on dragging. @param {number} t */
  #lift(t) {
    if (this.#points.size > 1) return;
    const [rest] = this.#points.values();
    this.#doing = rest ? 'pan' : 'none';
    if (rest) this.#trail = [{ ...rest, t }];
  }

  /** @param {Point} point where the finger left */
  #throw(point) {
    const [first] = this.#trail.filter(({ t }) => point.t - t <= throwMs);
    if (!first || point.t - first.t < 8) return;
    const speed = (point.x - first.x) / (point.t - first.t);
    if (Math.abs(speed) >= slowest) this.#actions.fling(speed);
  }
}

/** After this long a throw has a third of its speed, in milliseconds. */
const slowdownMs = 320;

/** A throw ends below this, in pixels a millisecond. */
const standstill = 0.015;

/**
 * How far a throw goes.
 *
 * @param {number} speed in pixels a millisecond
 * @param {number} ms that pass
 * @returns {{ byPx: number, speed: number }} speed: what is left of it, 0 when it has ended
 */
export function glide(speed, ms) {
  const rest = speed * Math.exp(-ms / slowdownMs);
  return { byPx: (speed - rest) * slowdownMs, speed: Math.abs(rest) < standstill ? 0 : rest };
}

/** What a pixel of a wheel zooms by, and a pinch on a pad, which comes in small steps. */
const wheelZoom = 0.0018;
const pinchZoom = 6 * wheelZoom;

/** The most that one turn of a wheel counts, in pixels. */
const wheelLimitPx = 240;

/** A line of those wheels that count lines, in pixels. */
const linePx = 24;

/**
 * What a wheel means: sideways, or with Shift, it pans; else it zooms.
 *
 * @param {Pick<WheelEvent, 'deltaX' | 'deltaY' | 'deltaMode' | 'shiftKey' | 'ctrlKey'>} event ctrlKey: two fingers on a
 *   pad pinch, which browsers tell so
 * @returns {{ panPx: number } | { factor: number }} panPx: how far what is shown moves to the right; factor above 1 shows more
 */
export function wheelAction({ deltaX, deltaY, deltaMode, shiftKey, ctrlKey }) {
  const unit = deltaMode === 1 ? linePx : 1;
  const [x, y] = shiftKey && deltaX === 0 ? [deltaY * unit, 0] : [deltaX * unit, deltaY * unit];
  if (Math.abs(x) > Math.abs(y)) return { panPx: -x };
  const turned = Math.max(-wheelLimitPx, Math.min(wheelLimitPx, y));
  return { factor: Math.exp(turned * (ctrlKey ? pinchZoom : wheelZoom)) };
}
