/**
 * What a video element plays from: one media source, whose operations run one
 * after the other. Sound has a buffer of its own: in one with the video, a hole in
 * the sound would cost the pictures up to the next key frame (Media Source
 * Extensions §3.5.8: a discontinuity is one of all tracks).
 */
import { until } from './backoff.js';
import { mediaSource, soundType, videoType } from './playback-types.js';

/** Times on the reel may go up to here, in seconds: a finite end makes every time one that can be sought. */
const endSeconds = 1e8;

/** A browser that has a media source but does not open it. */
const openMs = 5_000;

/** The browser refuses what was recorded; the message is a sentence. */
export class ReelError extends Error {
  name = 'ReelError';
}

/**
 * @typedef {import('./recordings.js').Segment} Segment
 * @typedef {import('./playback-boxes.js').Track} Track
 *
 * @typedef {{ buffer: SourceBuffer, type: string }} TrackBuffer
 */

export class Reel {
  #video;
  #source;
  #url;
  /** @type {{ video: TrackBuffer, sound?: TrackBuffer }} */ #tracks;
  /** @type {Promise<unknown>} the operation before */ #turn = Promise.resolve();
  #closed = false;
  /** Whether something was appended after the end was told: the decoder has finished, and takes it only after a seek. */
  stale = false;

  /**
   * Puts a new reel into the element.
   *
   * @param {HTMLVideoElement} video
   * @param {Segment} segment that is like what it is for
   * @param {boolean} sound whether it has sound
   * @returns {Promise<Reel>}
   * @throws {ReelError}
   */
  static async open(video, segment, sound) {
    const Source = mediaSource();
    if (!Source) throw new ReelError('This browser cannot play recordings: it has no Media Source Extensions.');
    const media = new Source();
    const url = URL.createObjectURL(media);
    // A managed source plays only where it cannot be sent to another device.
    video.disableRemotePlayback = true;
    video.srcObject = null;
    video.src = url;
    try {
      await until(media, 'sourceopen', () => media.readyState === 'open', openMs);
      if (media.readyState !== 'open') throw new ReelError('This browser does not begin to play. Reload the page.');
      return new Reel({ video, media, url, segment, sound });
    } catch (error) {
      URL.revokeObjectURL(url);
      throw error;
    }
  }

  /** @param {{ video: HTMLVideoElement, media: MediaSource, url: string, segment: Segment, sound: boolean }} options media is open */
  constructor({ video, media, url, segment, sound }) {
    this.#video = video;
    this.#source = media;
    this.#url = url;
    const add = (/** @type {string} */ type) => ({ buffer: media.addSourceBuffer(type), type });
    this.#tracks = sound ? { video: add(videoType(segment)), sound: add(soundType(segment)) } : { video: add(videoType(segment)) };
    media.duration = endSeconds;
  }

  /** Whether it has sound. */
  get sound() {
    return this.#tracks.sound !== undefined;
  }

  /** @param {number} time in seconds @returns {boolean} whether it can be shown at once */
  has(time) {
    if (this.#closed || this.#source.readyState === 'closed') return false;
    return this.#all.every(({ buffer: { buffered } }) => {
      for (let i = 0; i < buffered.length; i++) if (buffered.start(i) - 0.001 <= time && time < buffered.end(i)) return true;
      return false;
    });
  }

  /**
   * Begins another file.
   *
   * @param {Segment} segment
   * @param {{ video: Track, sound: Track | null }} tracks of it
   * @returns {Promise<void>}
   */
  begin(segment, { video, sound }) {
    return this.#next(async () => {
      await this.#begin(this.#tracks.video, videoType(segment), video.bytes);
      if (this.#tracks.sound && sound) await this.#begin(this.#tracks.sound, soundType(segment), sound.bytes);
    });
  }

  /**
   * Appends whole or partial fragments.
   *
   * @param {'video' | 'sound'} track
   * @param {import('./encoding.js').Bytes} bytes
   * @param {number} offset what is added to times in the file, in seconds; it changes only at the start of a fragment
   * @returns {Promise<void>}
   * @throws {DOMException} QuotaExceededError if there is no room
   */
  append(track, bytes, offset) {
    return this.#next(async () => {
      const to = this.#tracks[track];
      if (!to) return;
      if (to.buffer.timestampOffset !== offset) to.buffer.timestampOffset = offset;
      await this.#append(to, bytes);
    });
  }

  /**
   * @param {number} from
   * @param {number} to
   * @returns {Promise<void>}
   */
  remove(from, to) {
    return this.#next(async () => {
      if (to > from) await this.#remove(from, to);
    });
  }

  /** Forgets a fragment that was appended in part, and everything else. @returns {Promise<void>} */
  clear() {
    return this.#next(async () => {
      for (const { buffer } of this.#all) if (this.#source.readyState === 'open') buffer.abort();
      await this.#remove(0, Infinity);
      this.#reopen();
    });
  }

  /** Tells the decoder that nothing follows, so that it gives out its last pictures. @returns {Promise<void>} */
  finish() {
    return this.#next(async () => {
      if (this.#source.readyState === 'open') this.#source.endOfStream();
    });
  }

  /** Idempotent. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    URL.revokeObjectURL(this.#url);
    if (this.#video.src !== this.#url) return;
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  /**
   * @param {() => Promise<void>} operation
   * @returns {Promise<void>}
   */
  #next(operation) {
    const done = this.#turn.then(async () => {
      if (this.#closed || this.#source.readyState === 'closed') throw closedError();
      await operation();
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  /** @param {TrackBuffer} to @param {string} type @param {import('./encoding.js').Bytes} bytes */
  async #begin(to, type, bytes) {
    if (type !== to.type) to.buffer.changeType(type);
    to.type = type;
    await this.#append(to, bytes);
  }

  /** @param {TrackBuffer} to @param {import('./encoding.js').Bytes} bytes */
  async #append({ buffer }, bytes) {
    if (this.#source.readyState === 'ended') this.stale = true;
    buffer.appendBuffer(bytes);
    await this.#updated(buffer);
    this.#reopen();
  }

  /** @param {number} from @param {number} to */
  async #remove(from, to) {
    for (const { buffer } of this.#all) {
      buffer.remove(from, to);
      await this.#updated(buffer);
    }
  }

  /** @returns {TrackBuffer[]} */
  get #all() {
    const { video, sound } = this.#tracks;
    return sound ? [video, sound] : [video];
  }

  /** After the end was told the duration is what there was, and later times cannot be sought. */
  #reopen() {
    if (this.#source.readyState === 'open' && this.#source.duration !== endSeconds) this.#source.duration = endSeconds;
  }

  /** @param {SourceBuffer} buffer @returns {Promise<void>} */
  #updated(buffer) {
    return new Promise((resolve, reject) => {
      const stop = new AbortController();
      const { signal } = stop;
      buffer.addEventListener('updateend', () => (stop.abort(), resolve()), { signal });
      buffer.addEventListener('error', () => (stop.abort(), reject(this.refused())), { signal });
      this.#source.addEventListener('sourceclose', () => (stop.abort(), reject(this.refused())), { signal });
    });
  }

  /** @returns {Error} for a part that the browser does not take */
  refused() {
    if (this.#closed) return closedError();
    console.warn('sightline: the browser refuses a recording', this.#video.error?.message);
    return new ReelError('This browser cannot decode this part of the recording.');
  }
}

function closedError() {
  return new DOMException('The reel is closed.', 'AbortError');
}
