/**
 * Fills a reel with one stretch of a recording, from a key frame on, as far as
 * nothing is missing and the tracks stay the same.
 */
import { ApiError } from './api.js';
import { pause } from './backoff.js';
import { readFrames, videoTimescale } from './playback-boxes.js';
import { staysOn } from './playback-lane.js';
import { ReelError } from './playback-reel.js';
import { contiguous, gapUs } from './playback-table.js';
import { join } from './recordings.js';

/**
 * @typedef {import('./playback-table.js').Piece} Piece
 *
 * @typedef {object} ReelFrame
 * @property {number} time on the reel, in seconds
 * @property {number} duration
 *
 * @typedef {object} Placed a piece on the reel
 * @property {Piece} piece
 * @property {number} start on the reel, in seconds
 * @property {number} end
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

/** Half a tick: for times that were rounded, in seconds. */
const slack = 0.5 / videoTimescale;

/** How often a recording that grows is looked at, in milliseconds; less often after a while. */
const newestMs = 1_000;
const newestSlowMs = 3_000;

const damagedMessage = 'A part of the recording is damaged.';

export class Feed {
  #options;
  /** @type {Placed[]} in order */ placed = [];
  /** @type {ReelFrame[]} theirs, in the order in which they are shown */ frames = [];
  /** Why it has come to its end; null before. @type {Outcome | null} */ outcome = null;
  /** Whether everything that is recorded is on the reel. */
  newest = false;
  /** What is added to times in the file, in seconds. */
  #offset = 0;
  /** How much later than shown frames are in the file, in ticks. */
  #delay = 0;
  /** @type {string} segment whose initialization segment came last */ #begun = '';
  /** Set when the browser has no more room: less is held then, in seconds. */
  #roomSeconds = Infinity;

  /** @param {FeedOptions} options */
  constructor(options) {
    this.#options = options;
  }

  get lane() {
    return this.#options.lane;
  }

  get reel() {
    return this.#options.reel;
  }

  /** @returns {Placed | undefined} */
  get last() {
    return this.placed.at(-1);
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
      const next = await this.#follow(cut ? this.last?.piece ?? from : /** @type {Piece} */ (batch.at(-1)), signal, cut);
      if (!next) return;
      await this.#room(signal);
      batch = this.#batch(next, null);
    }
  }

  /** @param {Piece} piece @returns {boolean} whether it is on the reel */
  has(piece) {
    return this.#placedOf(piece) !== undefined;
  }

  /**
   * @param {Piece} piece
   * @param {'first' | 'last'} edge
   * @returns {ReelFrame | null} a frame of the piece; of the last one there is if it is not on the reel
   */
  edge(piece, edge) {
    const placed = this.#placedOf(piece) ?? this.last;
    return placed ? this.frameOn(edge === 'first' ? placed.start : placed.end - 2 * slack) : null;
  }

  /** @param {Piece} piece @returns {Placed | undefined} what shows it */
  #placedOf({ fragment }) {
    const keys = this.lane.keyFramesOnly;
    return this.placed.findLast(({ piece }) => piece.fragment.startUs === fragment.startUs || (keys && piece.fragment.startUs < fragment.startUs));
  }

  /**
   * When a frame was recorded.
   *
   * @param {number} time on the reel
   * @returns {number | null} wall time in microseconds; null if it is of another stretch
   */
  wallUs(time) {
    const placed = this.#at(time);
    if (!placed || time > placed.end + 1) return null;
    const { fragment } = placed.piece;
    return fragment.startUs + (time - placed.start) * 1e6 * slew(placed);
  }

  /**
   * The frame of a wall time.
   *
   * @param {number} us
   * @returns {ReelFrame | null} null if its piece is not on the reel
   */
  frameAt(us) {
    const placed = this.placed.findLast(({ piece }) => piece.fragment.startUs <= us);
    if (!placed) return null;
    const time = placed.start + (us - placed.piece.fragment.startUs) / 1e6 / slew(placed);
    return time > placed.end + gapUs / 1e6 ? null : this.frameOn(time);
  }

  /**
   * @param {number} time on the reel
   * @returns {ReelFrame | null} what is shown then
   */
  frameOn(time) {
    return this.frames.findLast((frame) => frame.time <= time + slack) ?? this.frames[0] ?? null;
  }

  /**
   * The frame after another (1) or before it (-1).
   *
   * @param {ReelFrame} frame
   * @param {1 | -1} direction
   * @returns {ReelFrame | null} null if it is not on the reel
   */
  beside(frame, direction) {
    return this.frames[this.frames.indexOf(frame) + direction] ?? null;
  }

  /**
   * @protected
   * @param {Placed} placed that follows the last one
   * @param {ReelFrame[]} frames
   */
  put(placed, frames) {
    // Where a group of pictures is cut, frames from before the cut may be shown after some from behind it.
    const from = this.frames.findLastIndex((frame) => frame.time < frames[0].time);
    const rest = [...this.frames.splice(Math.max(0, from)), ...frames].sort((a, b) => a.time - b.time);
    rest.forEach((frame, i) => (frame.duration = (rest[i + 1]?.time ?? Math.max(placed.end, frame.time + slack)) - frame.time));
    this.frames.push(...rest);
    this.placed.push(placed);
    this.newest = false;
    this.#options.onChange();
  }

  /**
   * @protected
   * @param {number} time
   */
  async forgetBefore(time) {
    const stay = this.placed.findIndex((placed) => placed.end > time);
    if (stay < 1) return;
    this.placed.splice(0, stay);
    const { start } = this.placed[0];
    this.frames.splice(0, this.frames.findIndex((frame) => frame.time >= start - slack));
    await this.#options.reel.remove(0, start);
  }

  /** @param {number} time @returns {Placed | undefined} */
  #at(time) {
    return this.placed.findLast(({ start }) => start <= time + slack) ?? undefined;
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
      if (!contiguous(piece, next) || (!to && !staysOn(lane, next, (each) => table.peek(each)))) break;
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
    const gone = error instanceof ApiError && (error.status === 404 || error.status === 410);
    if (!gone || this.placed.length === 0) throw error;
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
        const init = await files.init(segment, signal);
        signal.throwIfAborted();
        this.#delay = await reel.begin(segment, init);
        this.#begun = segment.id;
      }
      /** @type {Uint8Array<ArrayBuffer>} the beginning of a piece whose frames are not known yet */
      let head = new Uint8Array(0);
      for (;;) {
        const { value: chunk, done } = await next;
        if (done) return false;
        let { bytes } = chunk;
        const known = this.last?.piece === chunk.piece;
        if (!known) {
          bytes = head = head.length > 0 ? join([head, bytes]) : bytes;
          if (chunk.track === 'sound' || (!this.#recognize(chunk.piece, head) && chunk.last)) throw new ReelError(damagedMessage);
        }
        if (this.last?.piece === chunk.piece) {
          await this.#append(chunk.track, bytes, signal);
          head = new Uint8Array(0);
        }
        next = chunks.next();
      }
    } finally {
      next.catch(() => {});
      chunks.return().catch(() => {});
    }
  }

  /**
   * Finds out where the frames of a piece come on the reel.
   *
   * @param {Piece} piece
   * @param {import('./encoding.js').Bytes} head the first bytes of it
   * @returns {boolean} false if more bytes are needed
   */
  #recognize(piece, head) {
    const found = framesOf(head);
    if (!found) return false;
    const first = found.start / videoTimescale;
    const { last } = this;
    if (!last) this.#offset = (piece.fragment.startUs - this.#options.baseUs) / 1e6 - first;
    // Files follow each other without a hole or an overlap, however their clocks were set.
    else if (last.piece.segment.id !== piece.segment.id) this.#offset = last.end - first;
    const start = this.#offset + first;
    const frames = found.frames.map(({ time }) => ({ time: this.#offset + (time - this.#delay) / videoTimescale, duration: 0 }));
    this.put({ piece, start, end: start + found.duration / videoTimescale }, frames);
    return true;
  }

  /**
   * @param {'video' | 'sound'} track
   * @param {import('./encoding.js').Bytes} bytes
   * @param {AbortSignal} signal
   */
  async #append(track, bytes, signal) {
    const { reel, playhead } = this.#options;
    const offset = track === 'video' ? this.#offset - this.#delay / videoTimescale : this.#offset;
    for (;;) {
      signal.throwIfAborted();
      try {
        return await reel.append(track, bytes, offset);
      } catch (error) {
        if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error;
        const ahead = (this.last?.start ?? 0) - playhead();
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
    const { table, files, lane, onChange } = this.#options;
    for (let round = 0; ; round++) {
      const next = await files.insist(() => table.next(piece, signal), signal);
      if (next) {
        if (!cut && contiguous(piece, next) && staysOn(lane, next, (each) => table.peek(each))) return next;
        this.outcome = { why: contiguous(piece, next) ? 'tracks' : 'gap', next };
        onChange();
        return null;
      }
      if (!this.newest) {
        this.newest = true;
        onChange();
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
      if (this.placed[0] && this.placed[0].end < now - behindSeconds - behindSlackSeconds) await this.forgetBefore(now - behindSeconds);
      const ahead = (this.last?.end ?? 0) - now;
      const coming = this.placed.filter(({ end }) => end > now);
      const bytes = coming.reduce((sum, { piece }) => sum + piece.fragment.bytes, 0);
      const limit = Math.min(this.#roomSeconds, Math.max(aheadSeconds, aheadRealSeconds * rate()));
      if (ahead < limit && bytes < aheadBytes) return;
      await pause(250, signal);
    }
  }
}

/** @param {Placed} placed @returns {number} how much faster than the camera's clock the wall's ran */
function slew({ piece, start, end }) {
  const ratio = piece.fragment.durationUs / 1e6 / (end - start);
  // The end of the newest piece is a guess.
  return Math.abs(ratio - 1) < 0.1 ? ratio : 1;
}

/** @param {import('./encoding.js').Bytes} head */
function framesOf(head) {
  try {
    return readFrames(head);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.warn('sightline: a fragment cannot be read', error);
    throw new ReelError(damagedMessage);
  }
}
