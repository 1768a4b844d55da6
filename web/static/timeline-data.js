/**
 * What a timeline knows of the recordings: asked for by pieces of time, each as
 * fine as the screen can show, kept, and asked for again where it may change.
 */

/**
 * @typedef {object} Gap
 * @property {number} fromMs
 * @property {number} toMs
 * @property {string} cause
 * @property {string} text
 *
 * @typedef {object} Mark an event
 * @property {string} id
 * @property {string} type
 * @property {number} fromMs
 * @property {number} toMs
 * @property {string} text
 *
 * @typedef {object} Lock
 * @property {string} id
 * @property {number} fromMs
 * @property {number} toMs
 * @property {string} name
 *
 * @typedef {object} Pause
 * @property {number} fromMs
 * @property {number} toMs 0 while it has no end
 * @property {string} by
 *
 * @typedef {object} Piece what there is in some time
 * @property {[number, number][]} ranges recorded, in order
 * @property {Gap[]} gaps
 * @property {Mark[]} events
 * @property {Lock[]} locks
 * @property {Pause[]} pauses
 *
 * @typedef {(fromMs: number, toMs: number, resolutionMs: number, signal: AbortSignal) => Promise<Piece>} Load
 */

/** The finest resolution that is asked for, in milliseconds. Each level is twice as coarse as the one before. */
const finestMs = 100;

/** Pieces have this many times their resolution. */
const pieceSteps = 512;

/** How many pieces are kept. */
const keep = 240;

/** What touches the present is asked for again after this long, in milliseconds. */
const liveMs = 4_000;

/** What is older may still change: recordings are fetched later, clips are locked. */
const oldMs = 60_000;

/** As long after the present as recordings may still grow by themselves. */
const growsMs = 30_000;

/** The longest time between attempts that fail. */
const longestPauseMs = 30_000;

/** Of other levels, this many coarser and finer ones stand in for what is still under way. */
const coarser = 8;
const finer = 2;

/**
 * @typedef {object} Entry
 * @property {number} askedAt when what is there was asked for
 * @property {Piece | null} piece null until something has arrived
 * @property {boolean} waiting whether it is being asked for
 */

export class TimelineData {
  #load;
  #now;
  #onchange;
  /** @type {Map<string, Entry>} by level and number; the least recently used first */ #entries = new Map();
  #stopped = new AbortController();
  #failures = 0;
  #notBefore = -Infinity;
  /** @type {unknown} */ #error = null;

  /**
   * @param {object} options
   * @param {Load} options.load
   * @param {() => number} options.now the publisher's clock, milliseconds since 1970
   * @param {() => void} options.onchange something new is known, or an attempt has failed
   */
  constructor({ load, now, onchange }) {
    this.#load = load;
    this.#now = now;
    this.#onchange = onchange;
  }

  /** Why the last attempt failed; null if it did not. @returns {unknown} */
  get error() {
    return this.#error;
  }

  /** Gives up what is under way, and asks for nothing any more. */
  close() {
    this.#stopped.abort();
  }

  /** Tries again at once what has failed. */
  retry() {
    if (this.#error === null) return;
    this.#notBefore = -Infinity;
    this.#onchange();
  }

  /** Asks for everything once more, as after something was changed; what is known stays until then. */
  refresh() {
    this.#notBefore = -Infinity;
    for (const entry of this.#entries.values()) entry.askedAt = -Infinity;
    this.#onchange();
  }

  /**
   * Asks for what is missing or old of a window, and a little beside it. To be
   * called again whenever the window changes, and every second or so.
   *
   * @param {import('./timeline-scale.js').Scale} scale
   */
  want(scale) {
    const now = this.#now();
    if (this.#stopped.signal.aborted || now < this.#notBefore) return;
    const level = levelOf(scale.msPerPx);
    const size = pieceMs(level);
    const first = Math.floor((scale.fromMs - scale.spanMs / 2) / size);
    const last = Math.floor(Math.min(scale.toMs + scale.spanMs / 2, now) / size);
    /** @type {number[]} */
    let run = [];
    for (let number = first; number <= last + 1; number++) {
      if (number <= last && this.#isWanted(level, number, now)) run.push(number);
      else if (run.length > 0) {
        void this.#ask(level, run, now);
        run = [];
      }
    }
  }

  /**
   * What is known of a window, as fine as it is known.
   *
   * @param {import('./timeline-scale.js').Scale} scale
   * @returns {Piece & { complete: boolean }} complete: whether something is known of all of it
   */
  within(scale) {
    const level = levelOf(scale.msPerPx);
    const size = pieceMs(level);
    const now = this.#now();
    const last = Math.floor(Math.min(scale.toMs, now) / size);
    /** @type {Piece[]} */
    const pieces = [];
    let complete = true;
    for (let number = Math.floor(scale.fromMs / size); number <= last; number++) {
      const found = this.#find(level, number);
      if (found.length > 0) pieces.push(...found);
      else complete = false;
    }
    return { ...withPauses(join(pieces, finestMs * 2 ** level), now), complete };
  }

  /** @param {number} level @param {number} number @param {number} now */
  #isWanted(level, number, now) {
    const entry = this.#entries.get(key(level, number));
    if (!entry) return true;
    const grows = (number + 1) * pieceMs(level) > entry.askedAt - growsMs;
    return !entry.waiting && now - entry.askedAt >= (grows ? liveMs : oldMs);
  }

  /** @param {number} level @param {number[]} numbers that follow each other @param {number} now */
  async #ask(level, numbers, now) {
    const size = pieceMs(level);
    const entries = numbers.map((number) => this.#entries.get(key(level, number)) ?? { askedAt: -Infinity, piece: null, waiting: true });
    entries.forEach((entry, i) => {
      entry.waiting = true;
      this.#touch(key(level, numbers[i]), entry);
    });
    try {
      const from = numbers[0] * size;
      const piece = await this.#load(from, from + numbers.length * size, finestMs * 2 ** level, this.#stopped.signal);
      entries.forEach((entry, i) => {
        entry.askedAt = now;
        entry.piece = cut(piece, numbers[i] * size, (numbers[i] + 1) * size);
      });
      this.#failures = 0;
      this.#error = null;
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#failures += 1;
      this.#error = error;
      this.#notBefore = this.#now() + Math.min(1000 * 2 ** (this.#failures - 1), longestPauseMs);
    } finally {
      for (const entry of entries) entry.waiting = false;
    }
    this.#onchange();
  }

  /** @param {string} name @param {Entry} entry */
  #touch(name, entry) {
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    for (const [old, { waiting }] of this.#entries) {
      if (this.#entries.size <= keep) return;
      if (!waiting) this.#entries.delete(old);
    }
  }

  /**
   * @param {number} level
   * @param {number} number
   * @returns {Piece[]} what is known of a piece's time, of a coarser or finer level if need be
   */
  #find(level, number) {
    const exact = this.#entries.get(key(level, number));
    if (exact?.piece) return [exact.piece];
    const from = number * pieceMs(level);
    const to = from + pieceMs(level);
    for (let up = 1; up <= coarser; up++) {
      const entry = this.#entries.get(key(level + up, Math.floor(number / 2 ** up)));
      if (entry?.piece) return [cut(entry.piece, from, to)];
    }
    for (let down = 1; down <= Math.min(finer, level); down++) {
      const count = 2 ** down;
      const parts = Array.from({ length: count }, (_, i) => this.#entries.get(key(level - down, number * count + i))?.piece);
      if (parts.some(Boolean)) return parts.flatMap((part) => (part ? [part] : []));
    }
    return [];
  }
}

/** @param {number} msPerPx @returns {number} the coarsest level that is no coarser than a pixel */
export function levelOf(msPerPx) {
  return Math.max(0, Math.floor(Math.log2(msPerPx / finestMs)));
}

/** @param {number} level */
function pieceMs(level) {
  return finestMs * 2 ** level * pieceSteps;
}

/** @param {number} level @param {number} number */
function key(level, number) {
  return `${level}:${number}`;
}

/**
 * What of a piece lies in a time. Events, locks and pauses stay whole: they are
 * put together again by what names them.
 *
 * @param {Piece} piece
 * @param {number} from
 * @param {number} to
 * @returns {Piece}
 */
function cut({ ranges, gaps, events, locks, pauses }, from, to) {
  const touches = (/** @type {{ fromMs: number, toMs: number }} */ each) => each.fromMs < to && (each.toMs || Infinity) >= from;
  return {
    ranges: ranges
      .filter(([start, end]) => start < to && end > from)
      .map(([start, end]) => [Math.max(start, from), Math.min(end, to)]),
    gaps: gaps
      .filter(({ fromMs, toMs }) => fromMs < to && toMs > from)
      .map((gap) => ({ ...gap, fromMs: Math.max(gap.fromMs, from), toMs: Math.min(gap.toMs, to) })),
    events: events.filter(touches),
    locks: locks.filter(touches),
    pauses: pauses.filter(touches),
  };
}

/**
 * Puts pieces that follow each other together.
 *
 * @param {Piece[]} pieces in order
 * @param {number} resolutionMs what is less apart belongs together
 * @returns {Piece}
 */
export function join(pieces, resolutionMs) {
  /** @type {[number, number][]} */
  const ranges = [];
  /** @type {Gap[]} */
  const gaps = [];
  for (const piece of pieces) {
    for (const [from, to] of piece.ranges) {
      const last = ranges[ranges.length - 1];
      if (last && from - last[1] < resolutionMs) last[1] = Math.max(last[1], to);
      else ranges.push([from, to]);
    }
    for (const gap of piece.gaps) {
      const last = gaps[gaps.length - 1];
      if (last && last.cause === gap.cause && gap.fromMs - last.toMs < resolutionMs && gap.fromMs >= last.fromMs) {
        last.toMs = Math.max(last.toMs, gap.toMs);
      } else gaps.push({ ...gap });
    }
  }
  return {
    ranges,
    gaps,
    events: once(pieces.flatMap(({ events }) => events), ({ id }) => id),
    locks: once(pieces.flatMap(({ locks }) => locks), ({ id }) => id),
    pauses: once(pieces.flatMap(({ pauses }) => pauses), ({ fromMs }) => String(fromMs)),
  };
}

/**
 * A pause that lasts is a gap that no recording tells of yet.
 *
 * @param {Piece} piece
 * @param {number} nowMs
 * @returns {Piece}
 */
export function withPauses(piece, nowMs) {
  const last = piece.ranges[piece.ranges.length - 1]?.[1] ?? 0;
  const lasting = piece.pauses.filter(({ fromMs, toMs }) => (toMs || nowMs) > last && fromMs < nowMs);
  if (lasting.length === 0) return piece;
  const gaps = lasting.map(({ fromMs, toMs }) => ({ fromMs: Math.max(fromMs, last), toMs: Math.min(toMs || nowMs, nowMs), cause: 'paused', text: '' }));
  const open = gaps.filter(({ fromMs, toMs }) => toMs > fromMs && !piece.gaps.some((gap) => gap.fromMs < toMs && gap.toMs > fromMs));
  return { ...piece, gaps: [...piece.gaps, ...open] };
}

/**
 * @template {{ fromMs: number }} T
 * @param {T[]} items
 * @param {(item: T) => string} name
 * @returns {T[]} each of them once, the latest that was given, in order of time
 */
function once(items, name) {
  return [...new Map(items.map((item) => [name(item), item])).values()].sort((a, b) => a.fromMs - b.fromMs);
}
