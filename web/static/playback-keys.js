/**
 * Fills a reel with key frames alone, each until the next one: for rates at
 * which nothing decodes every frame.
 */
import { pause } from './backoff.js';
import { videoTimescale } from './playback-boxes.js';
import { Feed, tracksOf } from './playback-feed.js';
import { makeFragment, withLengths } from './playback-fragment.js';
import { contiguous, end } from './playback-table.js';
import { plays, videoType } from './playback-types.js';

/** @typedef {import('./playback-table.js').Piece} Piece */

/** At most so many key frames are shown in a second. */
const perSecond = 10;

/** Requests under way at a time. */
const width = 4;

/** Key frames are held for this long ahead, in seconds on the screen. */
const aheadSeconds = 6;

/** The number of the video's track in every recording. */
const videoTrack = 1;

/** So many are put on the reel before those that are past are cleared away. */
const maxPlaced = 300;

/** @typedef {{ piece: Piece, durationUs: number }} Still a key frame and how long it is shown */

export class KeyFeed extends Feed {
  #options;
  #rendition;
  #begun = '';
  /** Where the stretch ends, once that is known. @type {import('./playback-feed.js').Outcome | null} */ #over = null;

  /** @param {import('./playback-feed.js').FeedOptions & { rendition: string, files: import('./playback-files.js').Files }} options */
  constructor(options) {
    super(options);
    this.#options = options;
    this.#rendition = options.rendition;
  }

  /**
   * @override
   * @param {Piece} from
   * @param {Piece} target
   * @param {AbortSignal} signal
   */
  async run(from, target, signal) {
    void target;
    /** @type {{ still: Still, data: Promise<import('./encoding.js').Bytes> }[]} */
    const underWay = [];
    /** @type {Piece | null} */
    let next = from;
    while (next || underWay.length > 0) {
      for (; next && underWay.length < width; ) {
        const { still, following } = await this.#still(next, signal);
        const data = this.#options.files.keyFrame(still.piece, this.#rendition, signal);
        data.catch(() => {}); // seen when its turn comes
        underWay.push({ still, data });
        next = following;
      }
      const first = underWay.shift();
      if (first) await this.#show(first.still, await first.data, signal);
      await this.#wait(signal);
    }
    this.outcome = this.#over;
    this.newest = !this.#over;
    this.changed();
  }

  /**
   * @param {Piece} piece
   * @param {AbortSignal} signal
   * @returns {Promise<{ still: Still, following: Piece | null }>} following: the key frame after it
   */
  async #still(piece, signal) {
    const { table, files, rate } = this.#options;
    let last = piece;
    for (;;) {
      const next = await files.insist(() => table.next(last, signal), signal);
      const durationUs = (next && contiguous(last, next) ? next.fragment.startUs : end(last)) - piece.fragment.startUs;
      if (!next) return { still: { piece, durationUs }, following: null };
      if (!contiguous(last, next) || !plays(videoType(next.segment))) {
        this.#over = { why: contiguous(last, next) ? 'tracks' : 'gap', next };
        return { still: { piece, durationUs }, following: null };
      }
      if (next.fragment.key && durationUs >= (1e6 * rate()) / perSecond) return { still: { piece, durationUs }, following: next };
      last = next;
    }
  }

  /**
   * @param {Still} still
   * @param {import('./encoding.js').Bytes} data Annex B
   * @param {AbortSignal} signal
   */
  async #show({ piece, durationUs }, data, signal) {
    const { reel, files, baseUs } = this.#options;
    const { segment, fragment } = piece;
    if (segment.id !== this.#begun) {
      const tracks = tracksOf(await files.init(segment, signal), false);
      signal.throwIfAborted();
      await reel.begin(segment, tracks);
      this.#begun = segment.id;
    }
    signal.throwIfAborted();
    const start = (fragment.startUs - baseUs) / 1e6;
    const duration = durationUs / 1e6;
    this.put({ piece, start, end: start + duration }, [start]);
    const sample = { bytes: withLengths(data), duration: Math.max(1, Math.round(duration * videoTimescale)) };
    await reel.append('video', makeFragment({ track: videoTrack, start: 0, samples: [sample] }), start);
    signal.throwIfAborted();
  }

  /** @param {AbortSignal} signal */
  async #wait(signal) {
    const { playhead, rate } = this.#options;
    if (this.stretch.placed.length > maxPlaced) await this.forgetBefore(playhead() - aheadSeconds * rate());
    while (!signal.aborted && this.stretch.end - playhead() > aheadSeconds * rate()) await pause(100, signal);
    signal.throwIfAborted();
  }
}
