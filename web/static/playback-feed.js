/**
 * Fills a reel with one stretch of a recording, from a key frame on, as far as
 * nothing is missing and the tracks stay the same.
 */
import { ApiError } from './api.js';
import { pause } from './backoff.js';
import { readFrames, trackOf, videoTimescale } from './playback-boxes.js';
import { staysOn } from './playback-lane.js';
import { ReelError } from './playback-reel.js';
import { Sound } from './playback-sound.js';
import { contiguous, gapUs } from './playback-table.js';
import { join } from './recordings.js';

/**
 * @typedef {import('./encoding.js').Bytes} Bytes
 * @typedef {import('./playback-table.js').Piece} Piece
 * @typedef {import('./playback-boxes.js').Track} Track
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
    this.changed();
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
    if (!(error instanceof ApiError && error.gone) || this.placed.length === 0) throw error;
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
      for (;;) {
        const { value: chunk, done } = await next;
        if (done) return false;
        const { piece, track, last } = chunk;
        head = head.length > 0 ? join([head, chunk.bytes]) : chunk.bytes;
        known ||= await this.#recognize(chunk, head, signal);
        if (known) {
          await this.#append(track, head, signal);
          head = new Uint8Array(0);
        } else if (last) throw new ReelError(damagedMessage);
        if (last) known = false;
        if (last && piece.fragment.bytes === piece.fragment.videoBytes) await this.#fill(this.last?.end ?? 0, signal);
        next = chunks.next();
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

  /** Puts silence on the reel, if there is a track for it. @param {number} to @param {AbortSignal} signal */
  async #fill(to, signal) {
    const silence = this.#sound?.fill(to);
    if (silence) await this.#append('sound', silence, signal);
  }

  /**
   * Finds out where the frames of a part come on the reel.
   *
   * @param {import('./playback-files.js').Chunk} chunk
   * @param {Bytes} head the first bytes of the part
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} false if more bytes are needed
   */
  async #recognize({ piece, track }, head, signal) {
    const found = framesOf(head);
    if (!found) return false;
    if (track === 'video') this.#placeFrames(piece, found);
    const before = track === 'sound' && this.#sound?.take(found);
    if (before) await this.#append('sound', before, signal);
    return true;
  }

  /** @param {Piece} piece @param {import('./playback-boxes.js').Frames} found */
  #placeFrames(piece, found) {
    const first = found.start / videoTimescale;
    const { last } = this;
    if (!last) this.#offset = (piece.fragment.startUs - this.#options.baseUs) / 1e6 - first;
    // Files follow each other without a hole or an overlap, however their clocks were set.
    else if (last.piece.segment.id !== piece.segment.id) this.#offset = last.end - first;
    const start = this.#offset + first;
    this.#sound?.follow(this.#offset, start);
    const frames = found.frames.map(({ time }) => ({ time: this.#offset + (time - this.#delay) / videoTimescale, duration: 0 }));
    this.put({ piece, start, end: start + found.duration / videoTimescale }, frames);
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

/** @param {Bytes} head @returns {import('./playback-boxes.js').Frames | null} */
function framesOf(head) {
  return parsed(() => readFrames(head));
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
