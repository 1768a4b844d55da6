/**
 * The video element of a playback: which frame is on it, and showing one
 * exactly.
 */

/** @typedef {import('./playback-stretch.js').ReelFrame} ReelFrame */

/** A frame is asked for this long after its beginning at most, in seconds, so that no rounding gives the one before. */
const intoFrame = 0.004;

/** After a seek has ended, its frame is waited for so long at most, in milliseconds. */
const lateMs = 1_500;

/** How often a seek that does not end is looked at, in milliseconds. */
const stuckMs = 150;

/** A hole this wide in front of the picture is jumped over, in seconds: sound may begin later than video. */
const holeSeconds = 1;

export class Screen {
  #video;
  #onFrame;
  #callback = 0;
  #stop = new AbortController();
  /** @type {{ from: number, to: number, done: () => void } | null} the frame that is waited for */ #wanted = null;
  /** @type {{ from: number, to: number } | null} where the frame lies that was sought last and stays */ #held = null;
  /** Start of the frame that is shown, on the reel, in seconds; NaN before the first. */
  time = NaN;
  /** How many frames were shown. */
  frames = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} onFrame called when a frame is shown
   */
  constructor(video, onFrame) {
    this.#video = video;
    this.#onFrame = onFrame;
    if (!video.requestVideoFrameCallback) {
      video.addEventListener('timeupdate', () => !video.seeking && this.#shown(video.currentTime), { signal: this.#stop.signal });
      return;
    }
    const next = () => {
      this.#callback = video.requestVideoFrameCallback((_, { mediaTime }) => {
        if (!video.paused) this.#held = null;
        // A busy browser reports frames from before a seek after it, and then that one may never be.
        if (!this.#held || (this.#held.from <= mediaTime && mediaTime < this.#held.to)) this.#shown(mediaTime);
        if (!this.#stop.signal.aborted) next();
      });
    };
    next();
  }

  /**
   * Seeks to a frame.
   *
   * @param {ReelFrame} frame
   * @param {AbortSignal} signal
   * @returns {Promise<void>} once it is shown
   */
  async show(frame, signal) {
    const video = this.#video;
    const over = AbortSignal.any([signal, this.#stop.signal]);
    over.throwIfAborted();
    const at = frame.time + Math.min(frame.duration / 2, intoFrame);
    await new Promise((resolve) => {
      const stop = new AbortController();
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let late;
      const done = () => {
        stop.abort();
        clearInterval(ticker);
        clearTimeout(late);
        this.#wanted = null;
        resolve(undefined);
      };
      const wanted = { from: frame.time - 0.001, to: frame.time + frame.duration, done };
      this.#wanted = this.#held = wanted;
      // Frames of a page that nobody sees are not reported, nor is one that was there already.
      const seeked = () => {
        clearTimeout(late);
        late = setTimeout(() => (this.#shown(frame.time), done()), document.hidden ? 0 : lateMs);
      };
      video.addEventListener('seeked', seeked, { signal: stop.signal });
      over.addEventListener('abort', done, { signal: stop.signal });
      const ticker = setInterval(() => {
        const past = this.jump(0);
        if (past !== null) wanted.to = past + holeSeconds;
      }, stuckMs);
      video.currentTime = at;
    });
    over.throwIfAborted();
  }

  /**
   * Gets the element over a small hole that it stands in or before.
   *
   * @param {number} slack how far before the hole it may stand, in seconds: the decoder keeps the last frames
   * @returns {number | null} where it goes on, in seconds; null if there is no such hole
   */
  jump(slack) {
    const video = this.#video;
    const { buffered, currentTime } = video;
    for (let i = 0; i < buffered.length; i++) {
      const start = buffered.start(i);
      const inside = start <= currentTime && currentTime < buffered.end(i) - slack;
      if (inside) return null;
      if (start <= currentTime || start > currentTime + holeSeconds) continue;
      video.currentTime = start + 0.001;
      return start;
    }
    return null;
  }

  close() {
    this.#stop.abort();
    this.#video.cancelVideoFrameCallback?.(this.#callback);
  }

  /** @param {number} time */
  #shown(time) {
    this.time = time;
    this.frames += 1;
    this.#onFrame();
    if (this.#wanted && this.#wanted.from <= time && time < this.#wanted.to) this.#wanted.done();
  }
}
