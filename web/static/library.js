/**
 * Whether the publisher on the screen keeps recordings, and of which cameras:
 * asked once a session, and followed from then on if it does.
 */
import { ApiError } from './api.js';
import { Backoff, pause } from './backoff.js';
import { wallClock } from './clock.js';
import { Recordings } from './recordings.js';
import { Store } from './store.js';

/**
 * @typedef {object} LibraryState
 * @property {'unknown' | 'none' | 'refused' | 'ready'} phase none: the publisher keeps none; refused: not for this browser
 * @property {import('./recordings.js').RecordedCamera[]} cameras
 * @property {import('./recordings.js').RecordingDisk[]} disks
 */

/** How often the state of the recorder is asked for, in milliseconds. */
const everyMs = 5_000;

export class Library {
  #publisher;
  #every;
  #http = /** @type {import('./api.js').Http | null} */ (null);
  #stopped = new AbortController();
  /** Aborts when the session is another one. */
  #session = new AbortController();
  /** Aborts when the state is to be asked for at once. */
  #waiting = new AbortController();
  #offsetMs = 0;

  /** Requests, over the session of the moment. */
  recordings = new Recordings(() => this.#http);
  state = new Store(/** @type {LibraryState} */ ({ phase: 'unknown', cameras: [], disks: [] }));

  /**
   * @param {Pick<import('./publisher.js').Publisher, 'state'>} publisher
   * @param {{ every?: number }} [options] how often the recorder is asked, in milliseconds
   */
  constructor(publisher, { every = everyMs } = {}) {
    this.#publisher = publisher;
    this.#every = every;
  }

  /** Works until stop is called. */
  start() {
    const end = this.#publisher.state.watch(({ http }) => {
      if (http === this.#http) return;
      this.#http = http;
      this.#session.abort();
      this.#session = new AbortController();
      if (http) void this.#follow(AbortSignal.any([this.#stopped.signal, this.#session.signal]));
    });
    this.#stopped.signal.addEventListener('abort', end);
  }

  /** Idempotent. */
  stop() {
    this.#stopped.abort();
    this.#http = null;
  }

  /** The recorder's clock. @returns {number} */
  nowMs() {
    return wallClock() + this.#offsetMs;
  }

  /** @param {string} id @returns {import('./recordings.js').RecordedCamera | null} */
  camera(id) {
    return this.state.value.cameras.find((camera) => camera.id === id) ?? null;
  }

  /** Asks at once, as after something was changed. */
  refresh() {
    this.#waiting.abort();
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    const backoff = new Backoff({ firstMs: 1_000, limitMs: 30_000 });
    while (!signal.aborted) {
      let ms = this.#every;
      try {
        const sent = wallClock();
        const { unixMs, cameras, disks } = await this.recordings.overview({ signal });
        if (signal.aborted) return;
        const roundTripMs = wallClock() - sent;
        const offsetMs = unixMs + roundTripMs / 2 - wallClock();
        // Small differences are those of the way: the timeline should not tremble.
        if (Math.abs(offsetMs - this.#offsetMs) > 50 + roundTripMs) this.#offsetMs = offsetMs;
        backoff.reset();
        this.state.set({ phase: 'ready', cameras, disks });
      } catch (error) {
        if (signal.aborted) return;
        const refusal = refusalOf(error);
        if (refusal) this.state.set({ phase: refusal, cameras: [], disks: [] });
        // What is no recorder will not become one while the session lasts; rights may.
        if (refusal === 'none') return;
        ms = refusal ? 6 * this.#every : backoff.next();
      }
      this.#waiting = new AbortController();
      await pause(ms, AbortSignal.any([signal, this.#waiting.signal]));
    }
  }
}

/** @param {unknown} error @returns {'none' | 'refused' | null} null if it may be better the next time */
function refusalOf(error) {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 403) return 'refused';
  return [404, 405, 501].includes(error.status) ? 'none' : null;
}
