/**
 * Plays the past of one camera in a video element, by Media Source Extensions.
 */

/**
 * @typedef {'idle' | 'buffering' | 'playing' | 'paused' | 'gap' | 'ended' | 'error'} Phase
 *   idle: before the first seek; gap: on the way over a gap; ended: nothing newer is recorded, so that live should
 *   take over where the camera is live; error: see message
 *
 * @typedef {object} PlaybackState
 * @property {Phase} phase
 * @property {boolean} wantsPlay whether it plays as soon as it can
 * @property {number} rate
 * @property {boolean} keyFramesOnly only key frames are shown at this rate
 * @property {{ fromMs: number, toMs: number } | null} gap the one that was jumped over or landed in last, until the next seek
 * @property {boolean} sound whether there is sound at the position that this browser plays
 * @property {boolean} growing whether the recording goes on at its end
 * @property {string} message a sentence for a person; empty unless something is wrong
 */

/** The rates there are, of recorded time to time. */
export const rates = Object.freeze([0.25, 0.5, 1, 2, 4, 8, 16]);

export class Playback {
  /**
   * The element belongs to the playback until close: its src, currentTime and
   * playbackRate are not to be touched, its volume may be.
   *
   * @param {object} options
   * @param {HTMLVideoElement} options.video
   * @param {import('./recordings.js').Recordings} options.recordings
   * @param {string} options.camera
   * @param {string} [options.rendition] default "main"
   * @param {(state: PlaybackState) => void} [options.onChange] called after every change of state
   */
  constructor({ video, recordings, camera, rendition = 'main', onChange = () => {} }) {
    void [video, recordings, camera, rendition, onChange];
  }

  /** @returns {PlaybackState} */
  get state() {
    throw new Error('not yet');
  }

  /** When the picture on the screen was recorded, to be read as often as wanted; NaN before the first. @returns {number} */
  get positionMs() {
    return NaN;
  }

  /**
   * Shows the picture of that time; plays on if it was playing. In a gap it is
   * the first picture after it, or the last of all.
   *
   * @param {number} ms
   * @returns {Promise<void>} once the picture is there, or something else was asked for
   */
  async seek(ms) {
    void ms;
  }

  play() {}

  pause() {}

  /** From 0.25 to 16. @returns {number} */
  get rate() {
    return 1;
  }

  set rate(rate) {
    void rate;
  }

  /**
   * Pauses, and shows the next picture (1) or the one before (-1).
   *
   * @param {1 | -1} direction
   * @returns {Promise<boolean>} whether there is one
   */
  async step(direction) {
    return direction === 1;
  }

  /** Lets the element go. Idempotent. */
  close() {}
}
