/**
 * Fills a reel with one stretch of a recording, from a key frame on, as far as
 * nothing is missing and the tracks stay the same.
 */
import { ApiError } from './api.js';
import { pause } from './backoff.js';
import { readRun, trackOf, videoTimescale } from './playback-boxes.js';
import { staysOn } from './playback-lane.js';
import { ReelError } from './playback-reel.js';
import { Sound } from './playback-sound.js';
import { Stretch } from './playback-stretch.js';
import { contiguous } from './playback-table.js';
import { join } from './recordings.js';

/**
 * @typedef {import('./encoding.js').Bytes} Bytes
 * @typedef {import('./playback-table.js').Piece} Piece
 * @typedef {import('./playback-boxes.js').Track} Track
 *
 * @typedef {object} Outcome
 * @property {'gap' | 'tracks'} why a stretch ends
 * @property {Piece} next what is recorded after it
 *
 * @typedef {object} FeedOptions
 * @property {import('./playback-reel.js').Reel} reel
 * @property {Pick<import('./playback-table.js').FragmentTable, 'next' | 'peek' | 'forget'>} table
 * @property {Pick<import('./playback-files.js').Files, 'init' | 'read' | 'insist'>} files
 * @property {import('./playback-lane.js').Lane} lane
 * @property {number} baseUs wall time of 0 on the reel
 * @property {() => number} playhead on the reel, in seconds
 * @property {() => number} rate
 * @property {() => void} onChange called when something was placed, or nothing more will be or is there yet
 */

/** Recorded time that is held ahead of the playhead, in seconds; at high rates as long as this in real time takes. */
const aheadSeconds = 30;
const aheadRealSeconds = 8;
const aheadBytes = 48 * 1024 * 1024;

/** Behind the playhead this much is kept, and it is cleared away in larger parts, in seconds. */
const behindSeconds = 30;
const behindSlackSeconds = 15;

/** A request is for at most so much. */
const batchBytes = 1536 * 1024;
const batchUs = 10e6;

/** How often a recording that grows is looked at, in milliseconds; less often after a while. */
const newestMs = 1_000;
const newestSlowMs = 3_000;

const damagedMessage = 'A part of the recording is damaged.';

export class Feed {
  #options;
  /** What is on the reel. */
  stretch;
  /** Why it has come to its end; null before. @type {Outcome | null} */ outcome = null;
  /** Whether everything that is recorded is on the reel. */
  newest = false;
  /** @type {Set<() => void>} what waits for a change */ #waiting = new Set();
  /** What is added to times in the file, in seconds. */
  #offset = 0;
  /** How much later than shown frames are in the file, in ticks. */
  #delay = 0;
  /** @type {Sound | null} of the segment that was begun last, if it is on the reel */ #sound = null;
  /** @type {string} segment whose initialization segment came last */ #begun = '';
  /** Set when the browser has no more room: less is held then, in seconds. */
  #roomSeconds = Infinity;

  /** @param {FeedOptions} options */
  constructor(options) {
    this.#options = options;
    this.stretch = new Stretch(options.lane.keyFramesOnly);
  }

  get lane() {
    return this.#options.lane;
  }

  get reel() {
    return this.#options.reel;
  }

  /**
   * Works until the stretch ends.
   *
   * @param {Piece} from begins with a key frame
   * @param {Piece} target fetched with the first request
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  async run(from, target, signal) {
    let batch = this.#batch(from, target);
    for (;;) {
      const cut = await this.#place(batch, signal).catch((error) => this.#missing(batch, error));
      const next = await this.#follow(cut ? this.stretch.last?.piece ?? from : /** @type {Piece} */ (batch.at(-1)), signal, cut);
      if (!next) return;
      await this.#room(signal);
      batch = this.#batch(next, null);
    }
  }

  /**
   * @param {() => boolean} condition about this feed
   * @param {AbortSignal} signal
   * @returns {Promise<void>} once it holds
   */
  until(condition, signal) {
    return new Promise((resolve, reject) => {
      const finish = () => {
        this.#waiting.delete(check);
        signal.removeEventListener('abort', abort);
      };
      const abort = () => (finish(), reject(signal.reason));
      const check = () => {
        if (condition()) (finish(), resolve());
      };
      this.#waiting.add(check);
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
      else check();
    });
  }

  /** @protected */
  changed() {
    for (const check of [...this.#waiting]) check();
    this.#options.onChange();
  }

  /**
   * @param {Piece} piece
   * @param {number | null} us wall time of the frame in it that is wanted; null: any
   * @returns {boolean} whether all is here that may be that frame
   */
  reaches(piece, us) {
    if (this.outcome || this.newest) return true;
    const { last, end } = this.stretch;
    if (!last || !this.stretch.has(piece)) return false;
    if (us === null || this.lane.keyFramesOnly || this.stretch.timeOf(us) + this.#delay / videoTimescale < end) return true;
    const next = this.#options.table.peek(last.piece);
    return !next || next.fragment.key;
  }

  /**
   * @protected
   * @param {{ piece: Piece, start: number, end: number }} placed
   * @param {number[]} times of its frames on the reel
   */
  put(placed, times) {
    this.stretch.put(placed, times);
    this.newest = false;
    this.changed();
  }

  /**
   * @protected
   * @param {number} time
   */
  async forgetBefore(time) {
    const start = this.stretch.forgetBefore(time);
    if (start !== null) await this.#options.reel.remove(0, start);
  }

  /**
   * Pieces for one request: from one up to another, or as much as is reasonable.
   *
   * @param {Piece} from
   * @param {Piece | null} to
   * @returns {Piece[]}
   */
  #batch(from, to) {
    const { table, lane } = this.#options;
    const batch = [from];
    let bytes = from.fragment.bytes;
    for (let piece = from; ; ) {
      if (to && piece.fragment.startUs >= to.fragment.startUs) break;
      const next = table.peek(piece);
      if (!next || next.segment.id !== from.segment.id || next.fragment.offset !== piece.fragment.offset + piece.fragment.bytes) break;
      if (!contiguous(piece, next) || (!to && !staysOn(lane, next))) break;
      bytes += next.fragment.bytes;
      if (!to && (bytes > batchBytes || next.fragment.startUs - from.fragment.startUs > batchUs)) break;
      batch.push(next);
      piece = next;
    }
    return batch;
  }

  /**
   * Gets over a file that was deleted meanwhile.
   *
   * @param {Piece[]} batch
   * @param {unknown} error
   * @returns {true}
   */
  #missing(batch, error) {
    if (!(error instanceof ApiError && error.gone) || !this.stretch.last) throw error;
    this.#options.table.forget(batch[0].segment.id);
    return true;
  }

  /** @param {Piece[]} batch @param {AbortSignal} signal @returns {Promise<boolean>} false: whole */
  async #place(batch, signal) {
    const { files, reel, lane } = this.#options;
    const { segment } = batch[0];
    const chunks = files.read(batch, lane.sound, signal);
    // The key frame is asked for before the file's beginning is there.
    let next = chunks.next();
    try {
      if (segment.id !== this.#begun) {
        next.catch(() => {});
        await this.#begin(segment, signal);
      }
      /** @type {Bytes} the beginning of a part whose frames are not known yet */
      let head = new Uint8Array(0);
      let known = false;
      for (;; next = chunks.next()) {
        const { value: chunk, done } = await next;
        if (done) return false;
        const { piece, track, last } = chunk;
        head = head.length > 0 ? join([head, chunk.bytes]) : chunk.bytes;
        if (track === 'sound') {
          if (!last) continue;
          await this.#appendSound(parsed(() => this.#sound?.take(head) ?? null), signal);
        } else {
          known ||= this.#recognize(piece, head);
          if (known) await this.#append('video', head, this.#offset - this.#delay / videoTimescale, signal);
          else if (last) throw new ReelError(damagedMessage);
          else continue;
        }
        head = new Uint8Array(0);
        known &&= !last;
        if (last && piece.fragment.bytes === piece.fragment.videoBytes) await this.#appendSound(this.#sound?.fill(this.stretch.end), signal);
      }
    } finally {
      next.catch(() => {});
      chunks.return().catch(() => {});
    }
  }

  /** @param {import('./recordings.js').Segment} segment @param {AbortSignal} signal */
  async #begin(segment, signal) {
    const { files, reel, lane } = this.#options;
    const tracks = tracksOf(await files.init(segment, signal), lane.sound);
    signal.throwIfAborted();
    await reel.begin(segment, tracks);
    this.#begun = segment.id;
    this.#delay = tracks.video.delay;
    this.#sound = tracks.sound && new Sound({ track: tracks.sound, segment, end: this.#sound?.end ?? NaN });
  }

  /**
   * Finds out where the frames of a piece come on the reel.
   *
   * @param {Piece} piece
   * @param {Bytes} head the first bytes of it
   * @returns {boolean} false if more bytes are needed
   */
  #recognize(piece, head) {
    const run = parsed(() => readRun(head));
    if (run) this.#placeFrames(piece, run);
    return run !== null;
  }

  /** @param {Piece} piece @param {import('./playback-boxes.js').Run} run */
  #placeFrames(piece, { start: decoded, duration, samples }) {
    const first = decoded / videoTimescale;
    const { last } = this.stretch;
    if (!last) this.#offset = (piece.fragment.startUs - this.#options.baseUs) / 1e6 - first;
    // Files follow each other without a hole or an overlap, however their clocks were set.
    else if (last.piece.segment.id !== piece.segment.id) this.#offset = last.end - first;
    const start = this.#offset + first;
    this.#sound?.follow(this.#offset, start);
    const times = samples.map(({ time }) => this.#offset + (time - this.#delay) / videoTimescale);
    this.put({ piece, start, end: start + duration / videoTimescale }, times);
  }

  /** @param {import('./playback-sound.js').SoundFragment | null | undefined} sound @param {AbortSignal} signal */
  async #appendSound(sound, signal) {
    if (sound) await this.#append('sound', sound.bytes, sound.at, signal);
  }

  /**
   * @param {'video' | 'sound'} track
   * @param {Bytes} bytes
   * @param {number} offset what is added to times in them, in seconds
   * @param {AbortSignal} signal
   */
  async #append(track, bytes, offset, signal) {
    const { reel, playhead } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      try {
        return await reel.append(track, bytes, offset);
      } catch (error) {
        if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error;
        const ahead = (this.stretch.last?.start ?? 0) - playhead();
        this.#roomSeconds = Math.max(2, Math.min(this.#roomSeconds, ahead / 2));
        await this.forgetBefore(playhead() - 1);
        await pause(500, signal);
      }
    }
  }

  /**
   * @param {Piece} piece
   * @param {AbortSignal} signal
   * @param {boolean} cut whether the reel cannot go on in any case
   * @returns {Promise<Piece | null>} what comes next on this reel; null if the stretch is over
   */
  async #follow(piece, signal, cut) {
    const { table, files, lane } = this.#options;
    for (let round = 0; ; round++) {
      const next = await files.insist(() => table.next(piece, signal), signal);
      if (next) {
        if (!cut && contiguous(piece, next) && staysOn(lane, next)) return next;
        this.outcome = { why: contiguous(piece, next) ? 'tracks' : 'gap', next };
        this.changed();
        return null;
      }
      if (!this.newest) {
        this.newest = true;
        this.changed();
      }
      await pause(round < 30 ? newestMs : newestSlowMs, signal);
      signal.throwIfAborted();
    }
  }

  /** Waits until there is room for more, and clears away what is long past. @param {AbortSignal} signal */
  async #room(signal) {
    const { playhead, rate } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const now = playhead();
      const { first, placed } = this.stretch;
      if (first && first.end < now - behindSeconds - behindSlackSeconds) await this.forgetBefore(now - behindSeconds);
      const ahead = this.stretch.end - now;
      const coming = placed.filter(({ end }) => end > now);
      const bytes = coming.reduce((sum, { piece }) => sum + piece.fragment.bytes, 0);
      const limit = Math.min(this.#roomSeconds, Math.max(aheadSeconds, aheadRealSeconds * rate()));
      if (ahead < limit && bytes < aheadBytes) return;
      await pause(250, signal);
    }
  }
}

/**
 * @param {Bytes} init an initialization segment
 * @param {boolean} sound whether it is wanted
 * @returns {{ video: Track, sound: Track | null }}
 * @throws {ReelError}
 */
export function tracksOf(init, sound) {
  const video = parsed(() => trackOf(init, 'vide'));
  if (!video) throw new ReelError(damagedMessage);
  return { video, sound: sound ? parsed(() => trackOf(init, 'soun')) : null };
}

/**
 * @template T
 * @param {() => T} parse
 * @returns {T}
 * @throws {ReelError}
 */
function parsed(parse) {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.warn('sightline: a part of a recording cannot be read', error);
    throw new ReelError(damagedMessage);
  }
}
