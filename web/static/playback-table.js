/**
 * Which fragments there are, of one stream: asked for in pieces, and kept.
 */

/**
 * @typedef {import('./recordings.js').Segment} Segment
 * @typedef {import('./recordings.js').Fragment} Fragment
 *
 * @typedef {{ segment: Segment, fragment: Fragment }} Piece a fragment and what it belongs to
 *
 * @typedef {{ fromUs: number, toUs: number }} Span
 *
 * @typedef {object} Place
 * @property {Piece} piece the one of the time asked for; else the first one after it, else the last one of all
 * @property {Span | null} gap what the time asked for lies in, if that is before the piece
 */

/** Recorded pieces this near to each other have no gap between them, in microseconds. */
export const gapUs = 500_000;

/** Around a time that is asked for, these are asked for too, in microseconds. */
const beforeUs = 15e6;
const afterUs = 180e6;

/** Later than anything. */
const everUs = 10 * 365 * 86_400e6;

/** How long an answer holds that nothing comes after, however late, in milliseconds. */
const lastMs = 10_000;

/** More than these are not kept: five days of groups of two seconds. */
const maxPieces = 200_000;

export class FragmentTable {
  #recordings;
  #camera;
  #rendition;
  #now;
  /** @type {Piece[]} by start, none overlapping */ #pieces = [];
  /** @type {Span[]} what has been asked for, in order, apart from each other */ #known = [];
  /** @type {{ us: number, at: number } | null} after which there was nothing, and when that was */ #last = null;

  /**
   * @param {object} options
   * @param {Pick<import('./recordings.js').Recordings, 'segments' | 'timeline'>} options.recordings
   * @param {string} options.camera
   * @param {string} options.rendition
   * @param {() => number} [options.now] milliseconds
   */
  constructor({ recordings, camera, rendition, now = () => performance.now() }) {
    this.#recordings = recordings;
    this.#camera = camera;
    this.#rendition = rendition;
    this.#now = now;
  }

  /**
   * @param {number} us
   * @param {AbortSignal} [signal]
   * @returns {Promise<Place | null>} null if nothing at all is recorded
   */
  async at(us, signal) {
    const there = this.#covering(us);
    if (there) return { piece: there, gap: null };
    await this.#ask({ fromUs: us - beforeUs, toUs: us + afterUs }, signal);
    const piece = this.#covering(us);
    if (piece) return { piece, gap: null };
    const after = await this.#firstAfter(us, signal);
    if (after) {
      const before = this.#justBefore(us);
      return { piece: after, gap: { fromUs: before ? end(before) : us, toUs: after.fragment.startUs } };
    }
    const last = await this.#lastBefore(us, signal);
    return last && { piece: last, gap: null };
  }

  /**
   * @param {Piece} piece
   * @param {AbortSignal} [signal]
   * @returns {Promise<Piece | null>} what was recorded next; null if there is nothing yet
   */
  next(piece, signal) {
    return this.#firstAfter(end(piece), signal, piece.fragment.startUs + 1);
  }

  /**
   * @param {Piece} piece
   * @param {AbortSignal} [signal]
   * @returns {Promise<Piece | null>}
   */
  async previous(piece, signal) {
    const us = piece.fragment.startUs;
    const before = this.#justBefore(us);
    if (before) return before;
    await this.#ask({ fromUs: us - beforeUs, toUs: us }, signal);
    return this.#justBefore(us) ?? this.#lastBefore(us, signal);
  }

  /**
   * @param {Piece} piece
   * @param {AbortSignal} [signal]
   * @returns {Promise<Piece>} where decoding has to start to get to it
   */
  async keyFor(piece, signal) {
    let key = piece;
    while (!key.fragment.key) {
      const before = await this.previous(key, signal);
      if (!before || before.segment.id !== key.segment.id) break;
      key = before;
    }
    return key;
  }

  /** What is known to follow a piece. @param {Piece} piece @returns {Piece | null} */
  peek(piece) {
    return this.#following(end(piece), piece.fragment.startUs + 1);
  }

  /** @param {Piece} piece @param {number} us @returns {Piece[]} the piece and those after it that start at that time at the latest */
  upTo(piece, us) {
    const pieces = [piece];
    for (let next = this.peek(piece); next && next.fragment.startUs <= us; next = this.peek(next)) pieces.push(next);
    return pieces;
  }

  /** @param {Piece} piece that begins with a key frame @returns {number | null} how long until the next one, as far as that is known */
  keyEveryMs(piece) {
    for (let next = this.peek(piece), last = piece; next && contiguous(last, next); next = this.peek(next)) {
      if (next.fragment.key) return (next.fragment.startUs - piece.fragment.startUs) / 1000;
      last = next;
    }
    return null;
  }

  /** Forgets what it knows of a segment, which may be gone. @param {string} id */
  forget(id) {
    const gone = this.#pieces.filter(({ segment }) => segment.id === id);
    if (gone.length === 0) return;
    const fromUs = gone[0].fragment.startUs;
    const toUs = end(/** @type {Piece} */ (gone.at(-1)));
    this.#pieces = this.#pieces.filter(({ segment }) => segment.id !== id);
    this.#known = this.#known.flatMap((span) => [
      ...(span.fromUs < fromUs ? [{ fromUs: span.fromUs, toUs: Math.min(span.toUs, fromUs) }] : []),
      ...(span.toUs > toUs ? [{ fromUs: Math.max(span.fromUs, toUs), toUs: span.toUs }] : []),
    ]);
  }

  /**
   * @param {number} us
   * @param {AbortSignal} [signal]
   * @param {number} [startUs] the piece starts there or later; earlier than us where an end was only guessed
   * @returns {Promise<Piece | null>} the first piece after us
   */
  async #firstAfter(us, signal, startUs = us) {
    const there = this.#following(us, startUs);
    if (there) return there;
    const fromUs = this.#known.find((span) => span.fromUs <= us && us < span.toUs)?.toUs ?? us;
    const near = await this.#ask({ fromUs, toUs: fromUs + afterUs }, signal);
    if (near || this.#isLast(fromUs)) return this.#following(us, startUs);
    const far = await this.#ask({ fromUs, toUs: fromUs + everUs }, signal);
    if (!far) this.#last = { us: fromUs, at: this.#now() };
    return this.#following(us, startUs);
  }

  /** @param {number} us @param {number} startUs @returns {Piece | null} */
  #following(us, startUs) {
    const after = this.#pieces[this.#index(startUs)];
    return after && this.#knows(us, after.fragment.startUs) ? after : null;
  }

  /** @param {number} us @returns {boolean} whether nothing was recorded after that, a moment ago */
  #isLast(us) {
    return this.#last !== null && this.#last.us <= us && this.#now() - this.#last.at < lastMs;
  }

  /**
   * @param {number} us
   * @param {AbortSignal} [signal]
   * @returns {Promise<Piece | null>} the last piece before
   */
  async #lastBefore(us, signal) {
    const fromMs = Math.max(0, (us - everUs) / 1000);
    const query = { fromMs, toMs: us / 1000, resolutionMs: 86_400_000, rendition: this.#rendition, signal };
    const { ranges } = await this.#recordings.timeline(this.#camera, query);
    const last = ranges.at(-1);
    if (!last) return null;
    const toUs = Math.min(us, last[1] * 1000);
    await this.#ask({ fromUs: toUs - beforeUs, toUs }, signal);
    return this.#before(us) ?? null;
  }

  /**
   * @param {Span} span
   * @param {AbortSignal} [signal]
   * @returns {Promise<boolean>} whether anything is in it
   */
  async #ask({ fromUs, toUs }, signal) {
    const query = { fromMs: Math.max(0, fromUs / 1000), toMs: Math.ceil(toUs / 1000), rendition: this.#rendition, signal };
    const { segments, more } = await this.#recordings.segments(this.#camera, query);
    const pieces = current(segments);
    const lastUs = pieces.length > 0 ? end(/** @type {Piece} */ (pieces.at(-1))) : fromUs;
    // Up to the newest picture everything is known; what comes after it may still be recorded.
    const newestUs = Math.max(lastUs, this.#pieces.length > 0 ? end(/** @type {Piece} */ (this.#pieces.at(-1))) : 0);
    this.#put(pieces, { fromUs, toUs: more && pieces.length > 0 ? lastUs : Math.min(toUs, newestUs) });
    return pieces.length > 0;
  }

  /**
   * @param {Piece[]} pieces
   * @param {Span} span that they are all of
   */
  #put(pieces, { fromUs, toUs }) {
    if (this.#pieces.length + pieces.length > maxPieces) {
      this.#pieces = [];
      this.#known = [];
    }
    const from = Math.min(fromUs, pieces[0]?.fragment.startUs ?? fromUs);
    const to = Math.max(toUs, pieces.length > 0 ? end(/** @type {Piece} */ (pieces.at(-1))) : toUs);
    const before = this.#pieces.filter(({ fragment }) => fragment.startUs < from);
    const after = this.#pieces.filter(({ fragment }) => fragment.startUs >= to);
    this.#pieces = [...before, ...pieces, ...after];
    if (to <= from) return;
    const apart = this.#known.filter((span) => span.toUs < from || span.fromUs > to);
    const touching = this.#known.filter((span) => !apart.includes(span));
    const all = { fromUs: Math.min(from, ...touching.map((span) => span.fromUs)), toUs: Math.max(to, ...touching.map((span) => span.toUs)) };
    this.#known = [...apart, all].sort((a, b) => a.fromUs - b.fromUs);
  }

  /** @param {number} fromUs @param {number} toUs */
  #knows(fromUs, toUs) {
    return fromUs >= toUs || this.#known.some((span) => span.fromUs <= fromUs && toUs <= span.toUs);
  }

  /** @param {number} us @returns {Piece | undefined} */
  #covering(us) {
    const piece = this.#before(us + 1);
    if (!piece || us >= end(piece) + gapUs) return undefined;
    if (us < end(piece)) return piece;
    // Between two that follow each other: a rounding, no gap.
    const after = this.#pieces[this.#index(us)];
    return after && after.fragment.startUs - end(piece) <= gapUs ? piece : undefined;
  }

  /** @param {number} us @returns {Piece | null} the last that starts before, if it is certain that there is no later one */
  #justBefore(us) {
    const before = this.#before(us);
    return before && this.#knows(end(before), us) ? before : null;
  }

  /** @param {number} us @returns {Piece | undefined} the last that starts before */
  #before(us) {
    return this.#pieces[this.#index(us) - 1];
  }

  /** @param {number} us @returns {number} of the first piece that starts there or later */
  #index(us) {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pieces[middle].fragment.startUs < us) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @param {Piece} piece @returns {number} when it ends, in microseconds */
export function end({ fragment }) {
  return fragment.startUs + fragment.durationUs;
}

/** @param {Piece} piece @param {Piece} next @returns {boolean} whether nothing is missing between them */
export function contiguous(piece, next) {
  return next.fragment.startUs - end(piece) <= gapUs;
}

/**
 * @param {Piece} piece
 * @param {Piece} next
 * @returns {{ fromMs: number, toMs: number } | null} what is missing between them
 */
export function gapBetween(piece, next) {
  return contiguous(piece, next) ? null : { fromMs: end(piece) / 1000, toMs: next.fragment.startUs / 1000 };
}

/**
 * The pieces of segments. Where two overlap, after the clock was set back, the
 * newer generation counts.
 *
 * @param {Segment[]} segments
 * @returns {Piece[]}
 */
function current(segments) {
  const pieces = segments.flatMap((segment) => segment.fragments.map((fragment) => ({ segment, fragment })));
  const newer = segments.filter(({ id }) => generation(id) > 0);
  const counts = (/** @type {Piece} */ { segment, fragment }) =>
    !newer.some((other) => generation(other.id) > generation(segment.id) && other.startUs <= fragment.startUs && fragment.startUs < other.endUs);
  return pieces.filter(counts).sort((a, b) => a.fragment.startUs - b.fragment.startUs);
}

/** @param {string} id @returns {number} */
function generation(id) {
  return Number(/\.g([0-9]+)$/.exec(id)?.[1] ?? 0);
}
