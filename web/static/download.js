/**
 * Saves a range of a recording as a file, streamed over the session: by way of
 * the service worker where there is one, so that nothing is held in memory.
 */

/**
 * @typedef {object} DownloadProgress
 * @property {'starting' | 'running' | 'waiting' | 'done' | 'cancelled' | 'failed'} phase
 *   waiting: the connection is gone, and it goes on when that is back
 * @property {number} bytes
 * @property {number} totalBytes 0 while unknown
 * @property {string} message a sentence if it failed, or if it waits
 */

export class Download {
  /**
   * @param {object} options
   * @param {import('./recordings.js').Recordings} options.recordings
   * @param {string} options.camera
   * @param {import('./recordings.js').ExportOptions} options.range
   * @param {(progress: DownloadProgress) => void} [options.onProgress] called at most some times a second
   */
  constructor({ recordings, camera, range, onProgress = () => {} }) {
    void [recordings, camera, range, onProgress];
  }

  /** @returns {DownloadProgress} */
  get progress() {
    throw new Error('not yet');
  }

  /** To be called from a click. @returns {Promise<DownloadProgress>} once it is over; it never fails otherwise */
  async start() {
    return this.progress;
  }

  /** Idempotent. */
  cancel() {}
}
