/**
 * Measures how old the picture on the screen is, if it carries a stamp: reads
 * the stamp out of a presented frame a few times a second and compares it with
 * the time that frame was presented.
 */
import { readStamp, stampHeight, stampWidth } from './stamp.js';

/** Time between two readings, in milliseconds; reading pixels back is not free. */
const intervalMs = 250;

/** How many samples are kept. */
const keep = 240;

/** A difference beyond this is a stamp that was misread or a clock that is off. */
const plausibleMs = 60_000;

export class LatencyMeter {
  /** @type {HTMLVideoElement} */ #video;
  #canvas = document.createElement('canvas');
  #context;
  #lastRead = -Infinity;
  #lastCounter = -1;
  /** @type {number[]} oldest first, in milliseconds */ #samples = [];

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
    this.#canvas.width = stampWidth;
    this.#canvas.height = stampHeight;
    this.#context = this.#canvas.getContext('2d', { willReadFrequently: true });
  }

  /** @returns {number[]} the latest samples in milliseconds, oldest first */
  get samples() {
    return [...this.#samples];
  }

  /** @returns {number | null} the median of the last five seconds */
  get medianMs() {
    const recent = this.#samples.slice(-5000 / intervalMs).sort((a, b) => a - b);
    return recent.length === 0 ? null : recent[recent.length >> 1];
  }

  /** Forgets everything, for another stream. */
  reset() {
    this.#samples = [];
    this.#lastCounter = -1;
  }

  /**
   * To be called from requestVideoFrameCallback, for every frame.
   *
   * @param {number} presentationTime of the frame, as the callback got it
   * @param {number} clockOffsetMs to be added to this machine's clock
   */
  frame(presentationTime, clockOffsetMs) {
    const video = this.#video;
    if (presentationTime - this.#lastRead < intervalMs || video.videoWidth < stampWidth || !this.#context) return;
    this.#lastRead = presentationTime;
    this.#context.drawImage(video, 0, 0, stampWidth, stampHeight, 0, 0, stampWidth, stampHeight);
    const stamp = readStamp(this.#context.getImageData(0, 0, stampWidth, stampHeight));
    if (!stamp || stamp.counter === this.#lastCounter) return;
    this.#lastCounter = stamp.counter;
    const latencyMs = performance.timeOrigin + presentationTime + clockOffsetMs - stamp.timeMs;
    if (Math.abs(latencyMs) > plausibleMs) return;
    this.#samples.push(latencyMs);
    if (this.#samples.length > keep) this.#samples.shift();
  }
}
