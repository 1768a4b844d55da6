/**
 * Saves a range of a recording as a file, streamed over the session: by way of
 * the service worker where there is one, so that nothing is held in memory.
 */
import { ApiError } from './api.js';
import { Backoff, pause } from './backoff.js';
import { exportPath, NoSessionError } from './recordings.js';
import { saverFor } from './download-savers.js';

/**
 * @typedef {import('./encoding.js').Bytes} Bytes
 * @typedef {import('./recordings.js').Recordings} Recordings
 *
 * @typedef {object} DownloadProgress
 * @property {'starting' | 'running' | 'waiting' | 'done' | 'cancelled' | 'failed'} phase
 *   waiting: the connection is gone, and it goes on when that is back
 * @property {number} bytes
 * @property {number} totalBytes 0 while unknown
 * @property {string} message a sentence if it failed, or if it waits
 *
 * @typedef {object} FileHead what is known of a file before its bytes come
 * @property {string} name
 * @property {string} type
 * @property {number} size
 * @property {string} tag its ETag
 * @property {string} path on whoever serves it
 *
 * @typedef {object} Saver takes the bytes of one file
 * @property {(bytes: Bytes) => Promise<void>} write resolves when more may come
 * @property {() => Promise<void>} finish
 * @property {(reason: string) => void} abort
 * @property {AbortSignal} cancelled somebody has stopped it in the browser's list of downloads
 */

/** Progress is told this often at most, in milliseconds. */
const tellMs = 200;

/** A connection that stays away for this long ends the download. */
const patienceMs = 10 * 60_000;

export class Download {
  #recordings;
  #camera;
  #range;
  #onProgress;
  #findSaver;
  #cancel = new AbortController();
  /** @type {DownloadProgress} */ #progress = { phase: 'starting', bytes: 0, totalBytes: 0, message: '' };
  #toldAt = -Infinity;
  /** @type {Promise<DownloadProgress> | null} */ #running = null;

  /**
   * @param {object} options
   * @param {Pick<Recordings, 'export'>} options.recordings
   * @param {string} options.camera
   * @param {import('./recordings.js').ExportOptions} options.range
   * @param {(progress: DownloadProgress) => void} [options.onProgress] called at most some times a second
   * @param {(head: FileHead) => Promise<Saver | null>} [options.findSaver] what takes the bytes; null if the browser
   *   saves the file by itself
   */
  constructor({ recordings, camera, range, onProgress = () => {}, findSaver = saverFor }) {
    this.#recordings = recordings;
    this.#camera = camera;
    this.#range = range;
    this.#onProgress = onProgress;
    this.#findSaver = findSaver;
  }

  /** @returns {DownloadProgress} */
  get progress() {
    return this.#progress;
  }

  /** To be called from a click. @returns {Promise<DownloadProgress>} once it is over; it never fails otherwise */
  start() {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Idempotent. */
  cancel() {
    this.#cancel.abort();
  }

  async #run() {
    const leave = () => this.cancel();
    globalThis.addEventListener?.('pagehide', leave);
    try {
      await this.#save();
      this.#tell({ phase: 'done', message: '' });
    } catch (error) {
      if (this.#cancel.signal.aborted) this.#tell({ phase: 'cancelled', message: '' });
      else this.#tell({ phase: 'failed', message: this.#words(error) });
    } finally {
      globalThis.removeEventListener?.('pagehide', leave);
    }
    return this.#progress;
  }

  async #save() {
    const { signal } = this.#cancel;
    const first = await this.#ask(0, '', signal);
    const head = headOf(first, exportPath(this.#camera, this.#range));
    this.#tell({ phase: 'running', totalBytes: head.size });
    const saver = await this.#findSaver(head).catch(async (error) => {
      await first.body.cancel();
      throw error;
    });
    if (!saver) return first.body.cancel();
    saver.cancelled.addEventListener('abort', () => this.cancel());
    try {
      if (saver.cancelled.aborted) this.cancel();
      await this.#copy(first, head, saver, signal);
      await saver.finish();
    } catch (error) {
      saver.abort(signal.aborted ? 'cancelled' : 'failed');
      throw error;
    }
    return undefined;
  }

  /**
   * @param {import('./http1.js').HttpResponse} first
   * @param {FileHead} head
   * @param {Saver} saver
   * @param {AbortSignal} signal
   */
  async #copy(first, head, saver, signal) {
    let response = first;
    for (;;) {
      try {
        for await (const bytes of response.body) {
          signal.throwIfAborted();
          await saver.write(bytes);
          this.#tell({ phase: 'running', bytes: this.#progress.bytes + bytes.length, message: '' });
        }
        if (this.#progress.bytes >= head.size) return;
      } catch (error) {
        signal.throwIfAborted();
        if (!passes(error)) throw error;
        this.#wait(error);
      }
      response = await this.#ask(this.#progress.bytes, head.tag, signal);
      const from = `bytes ${this.#progress.bytes}-`;
      if (!response.headers.get('content-range')?.startsWith(from)) {
        await response.body.cancel();
        throw new ApiError(response.status, 'changed', 'The recording has changed meanwhile. Start the download again.');
      }
    }
  }

  /**
   * Asks for the export, until it comes.
   *
   * @param {number} offset
   * @param {string} tag
   * @param {AbortSignal} signal
   */
  async #ask(offset, tag, signal) {
    const backoff = new Backoff({ firstMs: 500, limitMs: 10_000 });
    const since = performance.now();
    for (;;) {
      signal.throwIfAborted();
      try {
        return await this.#recordings.export(this.#camera, { ...this.#range, offset, tag, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (!passes(error) || performance.now() - since > patienceMs) throw error;
        this.#wait(error);
        await pause(backoff.next(), signal);
      }
    }
  }

  /** @param {unknown} error why it has to wait */
  #wait(error) {
    console.debug('sightline: a download goes on in a while', error);
    this.#tell({ phase: 'waiting', message: this.#words(error) });
  }

  /** @param {unknown} error @returns {string} */
  #words(error) {
    if (error instanceof Error && ['ApiError', 'NoSessionError', 'SaveError'].includes(error.name)) return error.message;
    if (passes(error)) return 'The connection to the recorder was lost.';
    console.error('sightline: a download failed', error);
    return 'The download failed. Try again.';
  }

  /** @param {Partial<DownloadProgress>} changes */
  #tell(changes) {
    const before = this.#progress;
    this.#progress = { ...before, ...changes };
    const now = performance.now();
    if (before.phase === this.#progress.phase && now - this.#toldAt < tellMs) return;
    this.#toldAt = now;
    this.#onProgress(this.#progress);
  }
}

/** @param {unknown} error @returns {boolean} whether it may succeed in a while */
function passes(error) {
  if (error instanceof ApiError) return error.status >= 500 || error.status === 429;
  return error instanceof NoSessionError || (error instanceof Error && ['HttpError', 'AbortError', 'InvalidStateError', 'OperationError'].includes(error.name));
}

/**
 * The name and the type come from the recorder, which may be anybody's: the file is a video for whoever opens it, and
 * nothing that its name or type could make a computer run or show as a page of ours.
 *
 * @param {import('./http1.js').HttpResponse} response
 * @param {string} path
 * @returns {FileHead}
 */
function headOf({ headers }, path) {
  const name = safeName(/filename="([^"]*)"/.exec(headers.get('content-disposition') ?? '')?.[1] ?? '');
  const size = Number(headers.get('content-length'));
  return { name, path, type: 'video/mp4', size: Number.isFinite(size) ? size : 0, tag: headers.get('etag') ?? '' };
}

/**
 * @param {string} name
 * @returns {string} a name that every system takes: letters, digits, - and _, at most 100 of them, and .mp4
 */
function safeName(name) {
  const stem = name.replace(/\.mp4$/i, '').replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^[_-]+|_+$/g, '').slice(0, 100);
  // What Windows keeps for devices, whatever follows the dot.
  return stem && !/^(con|prn|aux|nul|com\d|lpt\d)$/i.test(stem) ? `${stem}.mp4` : 'recording.mp4';
}
