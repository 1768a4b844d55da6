/**
 * Fetches the bytes that are played, keeps the last ones, and goes on where it
 * was when the connection comes back.
 */
import { ApiError } from './api.js';
import { Backoff, pause } from './backoff.js';
import { join } from './recordings.js';

/**
 * @typedef {import('./encoding.js').Bytes} Bytes
 * @typedef {import('./playback-table.js').Piece} Piece
 *
 * @typedef {object} Chunk
 * @property {Piece} piece that the bytes are of
 * @property {'video' | 'sound'} track that the bytes are of
 * @property {Bytes} bytes
 * @property {boolean} last whether the track's part of the piece ends with them
 */

/** Bytes are handed on when there are this many, */
const chunkBytes = 128 * 1024;

/** or when the first of them has waited this long, in milliseconds. */
const chunkMs = 30;

/** Pieces that are kept, for going back and forth; in bytes. */
const keptBytes = 32 * 1024 * 1024;
const keptInits = 32;

export class Files {
  #recordings;
  #camera;
  #onTrouble;
  /** @type {Map<string, Bytes>} the least used first */ #pieces = new Map();
  #pieceBytes = 0;
  /** @type {Map<string, Bytes>} */ #inits = new Map();

  /**
   * @param {object} options
   * @param {Pick<import('./recordings.js').Recordings, 'bytes' | 'init' | 'keyFrame'>} options.recordings
   * @param {string} options.camera
   * @param {(message: string) => void} options.onTrouble told why nothing comes at the moment; empty once it does
   */
  constructor({ recordings, camera, onTrouble }) {
    this.#recordings = recordings;
    this.#camera = camera;
    this.#onTrouble = onTrouble;
  }

  /**
   * @param {import('./recordings.js').Segment} segment
   * @param {AbortSignal} signal
   * @returns {Promise<Bytes>} the initialization segment
   */
  async init(segment, signal) {
    const { id } = segment;
    const init = this.#inits.get(id) ?? (await this.insist(() => this.#recordings.init(this.#camera, segment, { signal }), signal));
    this.#inits.delete(id);
    this.#inits.set(id, init);
    if (this.#inits.size > keptInits) this.#inits.delete([...this.#inits.keys()][0]);
    return init;
  }

  /**
   * @param {Piece} piece that begins with a key frame
   * @param {string} rendition
   * @param {AbortSignal} signal
   * @returns {Promise<Bytes>} the key frame, Annex B
   */
  async keyFrame({ fragment }, rendition, signal) {
    const atMs = fragment.startUs / 1000;
    return (await this.insist(() => this.#recordings.keyFrame(this.#camera, { atMs, rendition, signal }), signal)).data;
  }

  /**
   * Reads pieces that lie one after the other in a file, with at most one
   * request at a time.
   *
   * @param {Piece[]} pieces
   * @param {boolean} sound whether it is wanted
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Chunk, void, void>}
   */
  async *read(pieces, sound, signal) {
    let rest = pieces;
    for (; rest.length > 0; rest = rest.slice(1)) {
      const kept = this.#take(rest[0]);
      if (!kept) break;
      for (const { piece, track, bytes, last } of new Cutter([rest[0]], sound).cut(kept)) if (bytes.length > 0) yield { piece, track, bytes, last };
    }
    if (rest.length > 0) yield* this.#fetch(rest, sound, signal);
  }

  /**
   * Tries again until something succeeds, unless the recorder says no.
   *
   * @template T
   * @param {() => Promise<T>} ask
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   */
  async insist(ask, signal) {
    const backoff = new Backoff({ firstMs: 300, limitMs: 4_000 });
    for (;;) {
      signal.throwIfAborted();
      try {
        const result = await ask();
        signal.throwIfAborted();
        this.#onTrouble('');
        return result;
      } catch (error) {
        await this.#overcome(error, backoff, signal);
      }
    }
  }

  /**
   * @param {Piece[]} pieces
   * @param {boolean} sound
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Chunk, void, void>}
   */
  async *#fetch(pieces, sound, signal) {
    const { segment } = pieces[0];
    const last = /** @type {Piece} */ (pieces.at(-1)).fragment;
    const to = last.offset + last.bytes;
    let from = pieces[0].fragment.offset;
    const cutter = new Cutter(pieces, sound);
    const backoff = new Backoff({ firstMs: 300, limitMs: 4_000 });
    while (from < to) {
      signal.throwIfAborted();
      try {
        const range = { from, to, signal };
        for await (const bytes of gathered(await this.#recordings.bytes(this.#camera, segment.id, range))) {
          signal.throwIfAborted();
          from += bytes.length;
          backoff.reset();
          this.#onTrouble('');
          for (const { whole, ...chunk } of cutter.cut(bytes)) {
            if (whole) this.#keep(chunk.piece, whole);
            if (chunk.bytes.length > 0) yield chunk;
          }
        }
      } catch (error) {
        await this.#overcome(error, backoff, signal);
      }
    }
  }

  /**
   * Waits after a failure that may pass.
   *
   * @param {unknown} error
   * @param {Backoff} backoff
   * @param {AbortSignal} signal
   */
  async #overcome(error, backoff, signal) {
    signal.throwIfAborted();
    const passing = error instanceof ApiError ? error.status >= 500 || error.status === 429 : error instanceof Error && passingErrors.has(error.name);
    if (!passing) throw error;
    console.debug('sightline: a part of a recording is asked for again', error);
    this.#onTrouble(/** @type {Error} */ (error).name === 'HttpError' ? lostMessage : /** @type {Error} */ (error).message);
    await pause(backoff.next(), signal);
  }

  /** @param {Piece} piece @returns {Bytes | undefined} */
  #take(piece) {
    const key = keyOf(piece);
    const bytes = this.#pieces.get(key);
    if (!bytes) return undefined;
    this.#pieces.delete(key);
    this.#pieces.set(key, bytes);
    return bytes;
  }

  /** @param {Piece} piece @param {Bytes} bytes */
  #keep(piece, bytes) {
    const key = keyOf(piece);
    if (this.#pieces.has(key)) return;
    this.#pieces.set(key, bytes);
    this.#pieceBytes += bytes.length;
    for (const [oldest, old] of this.#pieces) {
      if (this.#pieceBytes <= keptBytes) break;
      this.#pieces.delete(oldest);
      this.#pieceBytes -= old.length;
    }
  }
}

const lostMessage = 'The connection to the recorder was lost. Trying again.';

/** Errors of a session that ends, or is not there yet. */
const passingErrors = new Set(['HttpError', 'NoSessionError', 'NetworkError', 'AbortError', 'InvalidStateError', 'OperationError']);

/** Cuts a part of a file into its pieces. */
class Cutter {
  #pieces;
  #sound;
  #index = 0;
  /** Of the piece. */
  #taken = 0;
  /** @type {Bytes[]} */ #parts = [];

  /** @param {Piece[]} pieces @param {boolean} sound */
  constructor(pieces, sound) {
    this.#pieces = pieces;
    this.#sound = sound;
  }

  /**
   * @param {Bytes} bytes the next ones
   * @returns {Generator<Chunk & { whole: Bytes | null }>} whole: all of a piece that ends here
   */
  *cut(bytes) {
    for (let at = 0; at < bytes.length && this.#index < this.#pieces.length; ) {
      const piece = this.#pieces[this.#index];
      const { videoBytes, bytes: allBytes } = piece.fragment;
      const video = this.#taken < videoBytes;
      const end = video ? videoBytes : allBytes;
      const part = bytes.subarray(at, at + end - this.#taken);
      this.#parts.push(part);
      this.#taken += part.length;
      at += part.length;
      const last = this.#taken === end;
      const whole = this.#taken === allBytes ? join(this.#parts) : null;
      if (whole) {
        this.#index += 1;
        this.#taken = 0;
        this.#parts = [];
      }
      const none = bytes.subarray(0, 0);
      yield { piece, track: video ? 'video' : 'sound', bytes: video || this.#sound ? part : none, last, whole };
    }
  }
}

/**
 * Gathers what arrives in small messages.
 *
 * @param {ReadableStream<Bytes>} stream
 * @returns {AsyncGenerator<Bytes, void, void>}
 */
async function* gathered(stream) {
  const reader = stream.getReader();
  /** @type {Bytes[]} */
  let parts = [];
  let size = 0;
  let since = performance.now();
  try {
    for (;;) {
      /** @type {unknown} */
      let failure = null;
      const { value, done } = await reader.read().catch((error) => ((failure = error), { value: undefined, done: true }));
      if (value) parts.push(value);
      size += value?.length ?? 0;
      if (size > 0 && (done || size >= chunkBytes || performance.now() - since >= chunkMs)) {
        yield join(parts);
        parts = [];
        size = 0;
        since = performance.now();
      }
      if (failure) throw failure;
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** @param {Piece} piece @returns {string} */
function keyOf({ segment, fragment }) {
  return `${segment.id} ${fragment.offset}`;
}
