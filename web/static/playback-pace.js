/**
 * Decides up to which rate every frame is decoded: by what decoders are known to
 * take, and by what is seen of this one and of the way to the recorder.
 */
import { videoType } from './playback-types.js';

/** Pixels that a processor core decodes in a second, with something to spare. */
const pixelsPerCore = 120e6;

/** Decoders in hardware take at least this many pixels in a second. */
const hardwarePixels = 1000e6;

/** Key frames further apart than this make no moving picture, in milliseconds on the screen. */
const slowestMs = 700;

/** Over so many looks it is judged. */
const looks = 10;

/** What looks like a moving picture: fewer frames in a second do not, at a rate that should give more. */
const fewFrames = 8;

/** So many stalls among the looks are too many. */
const manyStalls = 4;

/** Recorded time that has to be there for the decoder to be the one that is slow, in seconds. */
const enoughAhead = 1;

/** @typedef {import('./recordings.js').Segment} Segment */

/** @typedef {{ at: number, frames: number, stalled: boolean, starved: boolean, rate: number }} Look */

export class Pace {
  /** Of the video at the speed at which it was recorded. */
  framesPerSecond = 25;
  /** From one key frame to the next, recorded time. */
  keyEveryMs = 2000;
  /** The lowest rate that was seen to be too much. */
  #tooHigh = Infinity;
  #hardware = false;
  /** @type {Look[]} */ #seen = [];
  #now;

  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param {Segment} segment
   * @param {number} rate
   * @returns {boolean} whether the rate is too high to decode every frame
   */
  tooFast({ width, height }, rate) {
    if (rate >= this.#tooHigh) return true;
    if (rate <= 2 || this.keyEveryMs / rate > slowestMs) return false;
    const pixels = width * height * this.framesPerSecond * rate;
    const cores = globalThis.navigator?.hardwareConcurrency || 2;
    return pixels > (this.#hardware ? hardwarePixels : Math.min(hardwarePixels, pixelsPerCore * cores));
  }

  /** Finds out how the browser decodes such video. @param {Segment} segment */
  async ask(segment) {
    this.#hardware = await inHardware(segment, this.framesPerSecond);
  }

  /** @param {readonly { time: number }[]} frames of the video, in order */
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
    this.#tooHigh = Math.min(this.#tooHigh, rate);
    return true;
  }
}

/**
 * @param {import('./recordings.js').Segment} segment
 * @param {number} framesPerSecond
 * @returns {Promise<boolean>} whether the browser decodes such video in hardware
 */
async function inHardware(segment, framesPerSecond) {
  try {
    const info = await navigator.mediaCapabilities.decodingInfo({
      type: 'media-source',
      video: {
        contentType: videoType(segment),
        width: segment.width,
        height: segment.height,
        framerate: framesPerSecond,
        bitrate: 4e6,
      },
    });
    return info.powerEfficient;
  } catch (error) {
    console.debug('sightline: the browser does not say how it decodes', error);
    return false;
  }
}
