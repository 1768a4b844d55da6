/**
 * Previews while somebody looks for a moment: the key frame nearest to a time,
 * decoded by WebCodecs.
 */

export class Scrub {
  /** Whether this browser can decode single pictures at all. @returns {boolean} */
  static get supported() {
    return 'VideoDecoder' in globalThis;
  }

  /**
   * @param {object} options
   * @param {HTMLCanvasElement} options.canvas its width is kept, its height follows the picture's shape
   * @param {import('./recordings.js').Recordings} options.recordings
   * @param {string} options.camera
   * @param {string} [options.rendition] default "main"; "sub" is quicker where there is one
   * @param {(timeMs: number) => void} [options.onPicture] called with the time of the picture that was drawn
   * @param {(message: string) => void} [options.onTrouble] called with a sentence if pictures cannot be shown
   */
  constructor({ canvas, recordings, camera, rendition = 'main', onPicture = () => {}, onTrouble = () => {} }) {
    void [canvas, recordings, camera, rendition, onPicture, onTrouble];
  }

  /**
   * Draws the key frame nearest to a time as soon as it is there, unless another
   * time was asked for meanwhile.
   *
   * @param {number} ms
   * @param {number} [toleranceMs] a picture this near that is there already will do
   */
  show(ms, toleranceMs = 0) {
    void [ms, toleranceMs];
  }

  /** Stops what is under way. Idempotent. */
  close() {}
}
