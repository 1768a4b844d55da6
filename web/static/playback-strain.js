/**
 * Notices when a browser, or the way to the recorder, does not keep up with a
 * rate.
 */

/** Over so many looks it is judged. */
const looks = 10;

/** What looks like a moving picture: fewer frames in a second do not, at a rate that should give more. */
const fewFrames = 8;

/** So many stalls among the looks are too many. */
const manyStalls = 4;

/** Recorded time that has to be there for the decoder to be the one that is slow, in seconds. */
const enoughAhead = 1;

/** @typedef {{ at: number, frames: number, stalled: boolean, starved: boolean, rate: number }} Look */

export class Strain {
  /** Of the video at the speed at which it was recorded. */
  framesPerSecond = 25;
  /** From one key frame to the next, recorded time. */
  keyEveryMs = 2000;
  /** The lowest rate that was too much. */
  tooHigh = Infinity;
  /** @type {Look[]} */ #seen = [];
  #now;

  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** @param {{ time: number }[]} frames of the video, in order */
  saw(frames) {
    const some = frames.slice(-100);
    if (some.length > 1) this.framesPerSecond = (some.length - 1) / (some[some.length - 1].time - some[0].time);
  }

  /**
   * To be called some times a second while it plays.
   *
   * @param {object} now
   * @param {number} now.frames that were shown since the beginning
   * @param {number} now.rate
   * @param {number} now.ahead recorded time that is there, in seconds
   * @param {boolean} now.moves whether the picture has moved since the look before
   * @param {boolean} now.over whether there is nothing more to fetch
   * @returns {boolean} whether the rate was just found to be too much
   */
  look({ frames, rate, ahead, moves, over }) {
    if (rate <= 2 || globalThis.document?.hidden || this.#seen.at(-1)?.rate !== rate) this.#seen = [];
    if (rate <= 2) return false;
    this.#seen.push({ at: this.#now(), frames, rate, stalled: !moves, starved: ahead < enoughAhead && !over });
    if (this.#seen.length <= looks) return false;
    const first = /** @type {Look} */ (this.#seen.shift());
    const perSecond = ((frames - first.frames) * 1000) / (this.#now() - first.at);
    const wanted = Math.min(fewFrames, (this.framesPerSecond * rate) / 2);
    const slowDecoder = perSecond < wanted && this.#seen.every(({ starved }) => !starved);
    const slowPath = this.#seen.filter(({ stalled, starved }) => stalled && starved).length >= manyStalls;
    if (!slowDecoder && !slowPath) return false;
    this.#seen = [];
    this.tooHigh = Math.min(this.tooHigh, rate);
    return true;
  }
}
