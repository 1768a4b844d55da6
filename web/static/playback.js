/**
 * Plays the past of one camera in a video element, by Media Source Extensions.
 *
 * A stretch of the recording in which nothing is missing is put on a reel
 * (playback-feed.js); what is recorded after it begins a new one. Times on a reel
 * run by the camera's clock, and every frame's wall time is known.
 */
import { ApiError } from './api.js';
import { Files } from './playback-files.js';
import { Feed } from './playback-feed.js';
import { KeyFeed } from './playback-keys.js';
import { carriesSound } from './playback-lane.js';
import { Pace } from './playback-pace.js';
import { Reel, ReelError } from './playback-reel.js';
import { Screen } from './playback-screen.js';
import { FragmentTable, gapBetween } from './playback-table.js';
import { plays, unplayable, videoType } from './playback-types.js';

/**
 * @typedef {import('./playback-table.js').Piece} Piece
 * @typedef {import('./playback-stretch.js').ReelFrame} ReelFrame
 * @typedef {import('./playback-lane.js').Lane} Lane
 *
 * @typedef {'idle' | 'buffering' | 'playing' | 'paused' | 'gap' | 'ended' | 'error'} Phase
 *   idle: before the first seek; gap: on the way over a gap; ended: nothing newer is recorded, so that live should
 *   take over where the camera is live; error: see message
 *
 * @typedef {object} PlaybackState
 * @property {Phase} phase
 * @property {boolean} wantsPlay whether it plays as soon as it can
 * @property {number} rate
 * @property {boolean} keyFramesOnly only key frames are shown at this rate
 * @property {{ fromMs: number, toMs: number } | null} gap the one that was jumped over or landed in last, until the next seek
 * @property {boolean} sound whether there is sound at the position that this browser plays
 * @property {boolean} growing whether the recording goes on at its end
 * @property {string} message a sentence for a person; empty unless something is wrong
 *
 * @typedef {{ us: number } | { piece: Piece, edge: 'first' | 'last' } | { frame: ReelFrame }} Goal a wall time, an end of
 *   a piece, or a frame that is on the reel
 */

/** The rates there are, of recorded time to time. */
export const rates = Object.freeze([0.25, 0.5, 1, 2, 4, 8, 16]);

/** Wall time of 0 on a reel is this long before what is shown first, in microseconds: times before it can be sought, too. */
const headroomUs = 365 * 86_400e6;

/** How often the picture is looked after, in milliseconds. */
const tickMs = 250;

/** So many looks at a picture that stands still, and it stands before a hole, or at the end. */
const stuckLooks = 3;

/** The decoder keeps the last frames before a hole, of this length at most, in seconds. */
const tailSeconds = 0.5;

const brokenMessage = 'Something in this page went wrong. Choose another moment, or reload the page.';
const emptyMessage = 'Nothing is recorded of this camera yet.';

export class Playback {
  // Constant after construction.
  #video;
  #table;
  #files;
  #rendition;
  #onChange;
  #screen;
  #closed = new AbortController();
  #pace = new Pace();

  /** @type {PlaybackState} */ #state = {
    phase: 'idle', wantsPlay: false, rate: 1, keyFramesOnly: false, gap: null, sound: false, growing: false, message: '',
  };
  #positionMs = NaN;

  /** @type {Reel | null} */ #reel = null;
  /** @type {Feed | null} */ #feed = null;
  /** Ends the feed. */
  #feeding = new AbortController();
  #baseUs = NaN;
  /** @type {import('./recordings.js').Segment | null} in which the stretch on the reel was entered */ #segment = null;

  /** Ends the seek that is under way. */
  #going = new AbortController();
  /** @type {Promise<void>} the last seek */ #gone = Promise.resolve();
  /** @type {Promise<unknown>} the last step */ #stepped = Promise.resolve();
  #pending = false;
  #jumping = false;
  #ended = false;
  #error = '';
  #trouble = '';
  #stuck = { time: NaN, looks: 0 };

  /**
   * The element belongs to the playback until close: its src, currentTime and
   * playbackRate are not to be touched, its volume may be.
   *
   * @param {object} options
   * @param {HTMLVideoElement} options.video
   * @param {import('./recordings.js').Recordings} options.recordings
   * @param {string} options.camera
   * @param {string} [options.rendition] default "main"
   * @param {(state: PlaybackState) => void} [options.onChange] called after every change of state
   */
  constructor({ video, recordings, camera, rendition = 'main', onChange = () => {} }) {
    this.#video = video;
    this.#rendition = rendition;
    this.#onChange = onChange;
    this.#table = new FragmentTable({ recordings, camera, rendition });
    this.#files = new Files({ recordings, camera, onTrouble: (message) => ((this.#trouble = message), this.#update()) });
    this.#screen = new Screen(video, () => this.#framed());
    const { signal } = this.#closed;
    for (const name of ['playing', 'canplay']) video.addEventListener(name, () => this.#update(), { signal });
    video.addEventListener('waiting', () => this.#starved(), { signal });
    video.addEventListener('pause', () => this.#stoppedOutside(), { signal });
    video.addEventListener('play', () => this.#startedOutside(), { signal });
    video.addEventListener('ended', () => this.#reachedEnd(), { signal });
    video.addEventListener('error', () => this.#reel && this.#fail(this.#reel.refused()), { signal });
    const ticker = setInterval(() => this.#tick(), tickMs);
    signal.addEventListener('abort', () => clearInterval(ticker));
  }

  /** @returns {PlaybackState} */
  get state() {
    return this.#state;
  }

  /** When the picture on the screen was recorded, to be read as often as wanted; NaN before the first. @returns {number} */
  get positionMs() {
    return this.#positionMs;
  }

  /**
   * Shows the picture of that time; plays on if it was playing. In a gap it is
   * the first picture after it, or the last of all.
   *
   * @param {number} ms
   * @returns {Promise<void>} once the picture is there, or something else was asked for
   */
  seek(ms) {
    return this.#go({ us: Math.round(ms * 1000) }, null);
  }

  play() {
    if (this.#state.wantsPlay || this.#closed.signal.aborted) return;
    this.#set({ wantsPlay: true });
    if (this.#pending || Number.isNaN(this.#positionMs)) return;
    if (!this.#feed || this.#reel?.stale || this.#isWrong()) void this.#again();
    else this.#start();
  }

  pause() {
    if (!this.#state.wantsPlay) return;
    this.#set({ wantsPlay: false });
    this.#video.pause();
    if (this.#pending) return;
    if (this.#feed?.lane.keyFramesOnly) void this.#again();
    else this.#fed();
  }

  /** From 0.25 to 16. @returns {number} */
  get rate() {
    return this.#state.rate;
  }

  set rate(rate) {
    this.#set({ rate: Math.min(16, Math.max(0.25, rate)) });
    this.#applyRate();
    if (this.#isWrong() && !this.#pending) void this.#again();
  }

  /**
   * Pauses, and shows the next picture (1) or the one before (-1).
   *
   * @param {1 | -1} direction
   * @returns {Promise<boolean>} whether there is one
   */
  step(direction) {
    const done = this.#stepped
      .then(() => this.#step(direction))
      .catch((error) => {
        console.debug('sightline: a step is not made', error);
        return false;
      });
    this.#stepped = done;
    return done;
  }

  /** Lets the element go. Idempotent. */
  close() {
    this.#closed.abort();
    this.#feeding.abort();
    this.#screen.close();
    this.#reel?.close();
    this.#reel = null;
  }

  /**
   * @param {Goal} goal
   * @param {PlaybackState['gap']} gap to be told of
   * @param {boolean} [jumping] whether it is on the way
   * @returns {Promise<void>}
   */
  #go(goal, gap, jumping = gap !== null) {
    this.#going.abort();
    const going = (this.#going = new AbortController());
    const signal = AbortSignal.any([going.signal, this.#closed.signal]);
    this.#pending = true;
    this.#ended = false;
    this.#error = '';
    this.#jumping = jumping;
    this.#gone = this.#reach(goal, signal)
      .catch((error) => {
        if (!signal.aborted) this.#fail(error);
      })
      .finally(() => {
        if (this.#going !== going) return;
        this.#pending = this.#jumping = false;
        this.#update();
        // Somebody has started, paused or changed the rate meanwhile.
        if (this.#isWrong()) void this.#again();
      });
    this.#set({ gap });
    return this.#gone;
  }

  /** Shows the same picture again, in the way that is right now. */
  #again() {
    return this.#go({ us: this.#positionMs * 1000 }, this.#state.gap, false);
  }

  /** @param {Goal} goal @param {AbortSignal} signal */
  async #reach(goal, signal) {
    let frame = this.#onReel(goal);
    if (!frame) {
      // The frame is not on the reel any more, or not as it should be.
      const known = 'frame' in goal ? { us: Math.round(this.#feed?.stretch.wallUs(goal.frame.time + 0.001) ?? NaN) } : goal;
      frame = await this.#load(known, signal);
    }
    if (!frame || !this.#reel) return;
    this.#reel.stale = false;
    await this.#screen.show(frame, signal);
    if (this.#state.wantsPlay) this.#start();
  }

  /** @param {Goal} goal @returns {ReelFrame | null} the frame, if it is on the reel, or about to be */
  #onReel(goal) {
    const [feed, reel] = [this.#feed, this.#reel];
    if (!feed || !reel || this.#isWrong()) return null;
    const frame = 'frame' in goal ? goal.frame : 'us' in goal ? feed.stretch.frameAt(goal.us) : null;
    const arriving = frame && frame.time >= (feed.stretch.last?.start ?? Infinity);
    return frame && (arriving || reel.has(frame.time)) ? frame : null;
  }

  /**
   * Begins another stretch.
   *
   * @param {Exclude<Goal, { frame: ReelFrame }>} goal
   * @param {AbortSignal} signal
   * @param {boolean} [again] whether what was to be shown has turned out to be deleted
   * @returns {Promise<ReelFrame | null>} the frame that was asked for; null if there is nothing at all
   */
  async #load(goal, signal, again = false) {
    this.#feeding.abort();
    this.#feed = null;
    this.#feeding = new AbortController();
    const feeding = AbortSignal.any([this.#feeding.signal, this.#closed.signal]);
    const piece = await this.#locate(goal, signal);
    if (!piece) return null;
    const from = await this.#files.insist(() => this.#table.keyFor(piece, signal), signal);
    const lane = this.#laneOf(from, piece);
    const reel = await this.#reelFor(lane, piece.segment, signal);
    const options = {
      reel, lane, table: this.#table, files: this.#files, baseUs: this.#base(from), rendition: this.#rendition,
      playhead: () => (this.#pending ? (feed.stretch.first?.start ?? 0) : this.#video.currentTime),
      rate: () => this.#state.rate,
      onChange: () => this.#feed === feed && this.#fed(),
    };
    const feed = lane.keyFramesOnly ? new KeyFeed(options) : new Feed(options);
    this.#feed = feed;
    const run = feed.run(from, piece, feeding);
    run.catch((error) => this.#feed === feed && !feeding.aborted && !this.#pending && this.#fail(error));
    const there = feed.until(() => feed.reaches(piece, 'us' in goal ? goal.us : null), signal);
    try {
      await Promise.race([there, run.then(() => there)]);
    } catch (error) {
      if (again || !(error instanceof ApiError && error.gone)) throw error;
      this.#table.forget(piece.segment.id);
      return this.#load('us' in goal ? goal : { us: piece.fragment.startUs }, signal, true);
    }
    return 'us' in goal ? feed.stretch.nearest(piece, goal.us) : feed.stretch.edge(piece, goal.edge);
  }

  /**
   * @param {Exclude<Goal, { frame: ReelFrame }>} goal
   * @param {AbortSignal} signal
   * @returns {Promise<Piece | null>}
   */
  async #locate(goal, signal) {
    if ('piece' in goal) return goal.piece;
    const place = await this.#files.insist(() => this.#table.at(goal.us, signal), signal);
    if (!place) this.#error = emptyMessage;
    if (place?.gap) this.#set({ gap: { fromMs: place.gap.fromUs / 1000, toMs: place.gap.toUs / 1000 } });
    return place?.piece ?? null;
  }

  /** @param {Piece} from @param {Piece} to @returns {Lane} */
  #laneOf(from, { segment, fragment }) {
    if (!plays(videoType(segment))) throw new ReelError(unplayable(segment));
    void this.#pace.ask(segment);
    this.#pace.keyEveryMs = this.#table.keyEveryMs(from) ?? this.#pace.keyEveryMs;
    this.#segment = segment;
    const keyFramesOnly = this.#wantsKeys();
    return { keyFramesOnly, sound: !keyFramesOnly && this.#table.upTo(from, fragment.startUs).every(carriesSound) };
  }

  /** @returns {boolean} whether only key frames are to be shown now */
  #wantsKeys() {
    return this.#state.wantsPlay && this.#segment !== null && this.#pace.tooFast(this.#segment, this.#state.rate);
  }

  /** @returns {boolean} whether what is on the reel is not what is to be shown now */
  #isWrong() {
    return this.#feed !== null && this.#feed.lane.keyFramesOnly !== this.#wantsKeys();
  }

  /** @param {Lane} lane @param {import('./recordings.js').Segment} segment @param {AbortSignal} signal */
  async #reelFor(lane, segment, signal) {
    if (this.#reel?.sound === lane.sound) {
      try {
        await this.#reel.clear();
        signal.throwIfAborted();
        return this.#reel;
      } catch (error) {
        signal.throwIfAborted();
        console.debug('sightline: a reel is replaced', error);
      }
    }
    this.#reel?.close();
    this.#reel = null;
    const reel = await Reel.open(this.#video, segment, lane.sound);
    if (signal.aborted) reel.close();
    signal.throwIfAborted();
    this.#reel = reel;
    this.#applyRate();
    return reel;
  }

  /** @param {Piece} piece @returns {number} wall time of 0 on the reel */
  #base({ fragment: { startUs } }) {
    if (!(startUs > this.#baseUs && startUs < this.#baseUs + 2 * headroomUs)) this.#baseUs = startUs - headroomUs;
    return this.#baseUs;
  }

  /** The feed has something new to say. */
  #fed() {
    const [feed, reel] = [this.#feed, this.#reel];
    if (!feed || !reel) return;
    const grows = feed.stretch.last?.piece.segment.open && this.#state.wantsPlay && !feed.lane.keyFramesOnly;
    if (feed.outcome || (feed.newest && !grows)) void reel.finish().catch(() => {});
    if (reel.stale && this.#state.wantsPlay && !this.#pending) void this.#again();
    if (!feed.lane.keyFramesOnly) this.#pace.saw(feed.stretch.frames);
    this.#update();
  }

  /** @param {1 | -1} direction */
  async #step(direction) {
    this.pause();
    await this.#gone;
    const feed = this.#feed;
    const frame = feed?.stretch.frameOn(this.#screen.time);
    if (!feed || !frame) return false;
    let other = feed.stretch.beside(frame, direction);
    if (!other && direction > 0) {
      await feed.until(() => feed.stretch.beside(frame, 1) !== null || feed.outcome !== null || feed.newest, this.#going.signal);
      other = feed.stretch.beside(frame, 1);
    }
    if (other) return this.#go({ frame: other }, null).then(() => true);
    const here = direction > 0 ? feed.stretch.last?.piece : feed.stretch.first?.piece;
    const there = direction > 0 ? feed.outcome?.next : here && (await this.#before(here));
    if (!here || !there) return false;
    if (direction > 0) await this.#go({ piece: there, edge: 'first' }, gapBetween(here, there));
    else await this.#go({ piece: there, edge: 'last' }, gapBetween(there, here));
    return true;
  }

  /** @param {Piece} piece @returns {Promise<Piece | null>} */
  #before(piece) {
    const { signal } = this.#going;
    return this.#files.insist(() => this.#table.previous(piece, signal), signal);
  }

  #start() {
    // An element that has ended would begin anew.
    if (this.#video.ended) return this.#reachedEnd();
    this.#applyRate();
    this.#video.play().catch((error) => {
      if (error.name !== 'NotAllowedError' || this.#video.muted) return;
      // With sound it may only begin by a click; without, always.
      this.#video.muted = true;
      this.#video.play().catch(() => {});
    });
    return undefined;
  }

  #applyRate() {
    this.#video.defaultPlaybackRate = this.#video.playbackRate = this.#state.rate;
  }

  #reachedEnd() {
    if (this.#pending || !this.#feed) return;
    const { outcome, stretch: { last } } = this.#feed;
    this.#ended = !outcome;
    if (outcome && last) void this.#go({ piece: outcome.next, edge: 'first' }, gapBetween(last.piece, outcome.next));
    this.#update();
  }

  /** Somebody has paused the element itself, in a window of its own perhaps. */
  #stoppedOutside() {
    if (!this.#pending && !this.#video.ended && this.#video.paused && this.#state.wantsPlay) this.#set({ wantsPlay: false });
  }

  #startedOutside() {
    if (!this.#video.paused && !this.#pending && this.#feed && !this.#state.wantsPlay) this.play();
  }

  #framed() {
    const us = this.#feed?.stretch.wallUs(this.#screen.time) ?? null;
    if (us !== null) this.#positionMs = us / 1000;
    if (this.#state.phase !== 'playing') this.#update();
  }

  /** The picture stands still: before a hole in the sound, perhaps. */
  #starved() {
    if (!this.#pending && this.#state.wantsPlay) this.#screen.jump(tailSeconds);
    this.#update();
  }

  /** Looks after a picture that should move. */
  #tick() {
    const [video, feed] = [this.#video, this.#feed];
    if (!feed || this.#pending || !this.#state.wantsPlay) return;
    const moves = video.currentTime !== this.#stuck.time;
    this.#stuck = { time: video.currentTime, looks: moves ? 0 : this.#stuck.looks + 1 };
    if (this.#stuck.looks >= stuckLooks && !this.#ended) {
      const ahead = feed.stretch.end - video.currentTime;
      if (ahead < tailSeconds && feed.outcome) this.#reachedEnd();
      // What grows no more gives out its last pictures.
      else if (ahead < tailSeconds && feed.newest) void this.#reel?.finish().catch(() => {});
      else this.#screen.jump(tailSeconds);
    }
    const ahead = (feed.stretch.last?.start ?? 0) - video.currentTime;
    const tired = !feed.lane.keyFramesOnly && this.#pace.look({ frames: this.#screen.frames, rate: this.#state.rate, ahead, moves, over: feed.newest });
    if (tired && this.#isWrong()) void this.#again();
    this.#update();
  }

  /** @param {unknown} error */
  #fail(error) {
    const known = error instanceof ReelError || error instanceof ApiError;
    if (!known) console.error('sightline: playback failed', error);
    this.#feeding.abort();
    this.#feed = null;
    this.#reel?.close();
    this.#reel = null;
    this.#error = known ? error.message : brokenMessage;
    this.#update();
  }

  #update() {
    this.#set({});
  }

  /** @param {Partial<PlaybackState>} changes */
  #set(changes) {
    const before = this.#state;
    this.#state = { ...before, ...changes };
    const { lane, stretch } = this.#feed ?? {};
    const phase = this.#phase();
    // What is held ahead may last longer than the trouble.
    const message = this.#error || (phase === 'buffering' ? this.#trouble : '');
    const [keyFramesOnly, sound] = [lane?.keyFramesOnly ?? false, lane?.sound ?? false];
    Object.assign(this.#state, { phase, keyFramesOnly, sound, growing: stretch?.last?.piece.segment.open ?? false, message });
    const keys = /** @type {(keyof PlaybackState)[]} */ (Object.keys(before));
    if (!this.#closed.signal.aborted && keys.some((key) => before[key] !== this.#state[key])) this.#onChange(this.#state);
  }

  /** @returns {Phase} */
  #phase() {
    if (this.#error) return 'error';
    if (this.#pending) return this.#jumping ? 'gap' : 'buffering';
    if (!this.#feed) return 'idle';
    if (this.#ended) return 'ended';
    if (!this.#state.wantsPlay) return 'paused';
    if (this.#video.readyState > HTMLMediaElement.HAVE_CURRENT_DATA) return 'playing';
    const ahead = this.#feed.stretch.end - this.#video.currentTime;
    return this.#feed.newest && ahead < tailSeconds ? 'ended' : 'buffering';
  }
}
