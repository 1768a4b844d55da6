/**
 * The present and the past of one camera, in one picture: which of them is
 * shown, and what moves from one to the other. Going back begins where somebody
 * asks for a moment, and ends with the present when there is nothing newer.
 */
import { Playback, rates } from './playback.js';
import { Store } from './store.js';

/**
 * @typedef {object} PastState
 * @property {boolean} live whether it is the present
 * @property {boolean} shown whether a picture of the past is there to be shown
 * @property {boolean} playing whether it plays, or will as soon as it can
 * @property {number} rate
 * @property {boolean} busy waits for a picture, and for longer than one notices
 * @property {{ fromMs: number, toMs: number } | null} gap that it has landed in or went over
 * @property {boolean} ended nothing newer is recorded
 * @property {boolean} sound
 * @property {string} message a sentence if something is wrong
 *
 * @typedef {Pick<Playback, 'state' | 'positionMs' | 'seek' | 'play' | 'pause' | 'rate' | 'step' | 'close'>} Engine
 * @typedef {(onChange: (state: import('./playback.js').PlaybackState) => void) => Engine} MakeEngine
 */

/** What j and l move by, in milliseconds. */
const jumpMs = 10_000;

/** Nearer to the present than this is the present, in milliseconds. */
const presentMs = 1500;

/** An event is shown from this much before it, in milliseconds. */
export const beforeEventMs = 2000;

/** An event that began so little before is the one that one is at, in milliseconds. */
const justMs = 1500;

/** Waiting for a picture is said after this, in milliseconds. */
const patienceMs = 400;

/** Where events are looked for, nearest first, in milliseconds. */
const farther = [10 * 60_000, 3_600_000, 6 * 3_600_000, 86_400_000, 7 * 86_400_000, 62 * 86_400_000];

/** @type {PastState} */
const present = { live: true, shown: false, playing: true, rate: 1, busy: false, gap: null, ended: false, sound: false, message: '' };

export class Past {
  #make;
  #now;
  #events;
  #liveIsGood;
  /** @type {Engine | null} while the past is shown */ #engine = null;
  /** @type {number | null} what was asked for and is not there yet */ #target = null;
  #turn = 0;
  #stepping = false;
  /** @type {1 | -1 | 0} a step that waits for the one under way */ #nextStep = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #patience;

  state = new Store(present);

  /**
   * @param {object} options
   * @param {MakeEngine} options.engine begins a playback
   * @param {() => number} options.now the recorder's clock
   * @param {(range: { fromMs: number, toMs: number }) => Promise<{ fromMs: number }[]>} options.events
   * @param {() => boolean} options.liveIsGood whether there is a present to go on with
   */
  constructor({ engine, now, events, liveIsGood }) {
    this.#make = engine;
    this.#now = now;
    this.#events = events;
    this.#liveIsGood = liveIsGood;
  }

  /** @returns {number | null} the time of the picture, or of the one asked for; null for the present */
  get positionMs() {
    if (this.state.value.live) return null;
    const at = this.#engine?.positionMs ?? NaN;
    return this.#target ?? (Number.isNaN(at) ? this.#now() : at);
  }

  /** Ends it. Idempotent. */
  close() {
    this.goLive();
  }

  /**
   * Shows the past from a moment on.
   *
   * @param {number} ms
   * @param {{ play?: boolean }} [options] play: whether it plays from there; default: as it does now
   * @returns {Promise<void>} once the picture is there, or something else was asked for
   */
  async goTo(ms, { play = this.state.value.playing } = {}) {
    const turn = ++this.#turn;
    const engine = (this.#engine ??= this.#make((state) => this.#changed(state)));
    this.#target = ms;
    this.state.set({ live: false, playing: play, ended: false, gap: null, message: '' });
    if (play) engine.play();
    else engine.pause();
    this.#wait();
    await engine.seek(ms);
    if (turn !== this.#turn) return;
    this.#target = null;
    const { phase } = engine.state;
    this.#changed(engine.state);
    if (phase !== 'error') this.state.set({ shown: true });
  }

  /** Shows the present. */
  goLive() {
    this.#turn += 1;
    this.#target = null;
    clearTimeout(this.#patience);
    const engine = this.#engine;
    this.#engine = null;
    this.state.set(present);
    engine?.close();
  }

  /** Plays or pauses; the present is paused by going to the past that it is just becoming. */
  async toggle() {
    const { live, playing, ended } = this.state.value;
    if (live) return this.goTo(this.#now(), { play: false });
    if (playing && !ended) this.#engine?.pause();
    else if (ended && this.#liveIsGood()) this.goLive();
    else this.#engine?.play();
  }

  /** Tries again what did not work. */
  async retry() {
    await this.goTo(this.positionMs ?? this.#now());
  }

  /**
   * Shows the next picture or the one before. While one is under way, one more
   * can be asked for: a key that is held goes on without a pile of them.
   *
   * @param {1 | -1} direction
   */
  async step(direction) {
    this.#nextStep = direction;
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      while (this.#nextStep !== 0) {
        const next = this.#nextStep;
        this.#nextStep = 0;
        if (!this.state.value.live) await this.#engine?.step(next);
        else if (next === -1) {
          await this.goTo(this.#now(), { play: false });
          await this.#engine?.step(next);
        }
      }
    } finally {
      this.#stepping = false;
    }
  }

  /** @param {1 | -1} direction by ten seconds */
  async jump(direction) {
    const now = this.#now();
    const ms = (this.positionMs ?? now) + direction * jumpMs;
    if (ms < now - presentMs) await this.goTo(ms);
    else if (this.#liveIsGood()) this.goLive();
  }

  /** @param {number} rate one of the rates of a playback; the present has only one */
  setRate(rate) {
    if (!this.#engine || !rates.includes(rate)) return;
    this.#engine.rate = rate;
    this.state.set({ rate });
  }

  /** @param {1 | -1} direction to the next faster or slower rate */
  changeRate(direction) {
    this.setRate(rates[rates.indexOf(this.state.value.rate) + direction] ?? NaN);
  }

  /**
   * Goes to an event, a little before it.
   *
   * @param {1 | -1} direction
   * @returns {Promise<boolean>} whether there is one
   */
  async goToEvent(direction) {
    const turn = this.#turn;
    const now = this.#now();
    const at = this.positionMs ?? now;
    // Who has just come to an event, and sees it begin, means the one before it.
    const just = this.state.value.live ? 0 : justMs * Math.max(1, this.state.value.rate);
    for (const far of farther) {
      // From a little before an event its own time is still to come.
      const next = at + beforeEventMs + 500;
      const range = direction === 1 ? { fromMs: next, toMs: Math.min(now, next + far) } : { fromMs: at - far, toMs: at - just };
      const found = (await this.#events(range)).map(({ fromMs }) => fromMs).filter((ms) => ms >= range.fromMs && ms < range.toMs);
      if (turn !== this.#turn) return true;
      if (found.length > 0) {
        void this.goTo((direction === 1 ? Math.min(...found) : Math.max(...found)) - beforeEventMs);
        return true;
      }
      if (direction === 1 && range.toMs >= now) break;
    }
    return false;
  }

  /** @param {import('./playback.js').PlaybackState} state */
  #changed({ phase, wantsPlay, rate, gap, sound, message }) {
    if (!this.#engine) return;
    const ended = phase === 'ended';
    if (ended && wantsPlay && this.#target === null && this.#liveIsGood()) return this.goLive();
    const waits = this.#target !== null || phase === 'buffering' || phase === 'gap';
    if (!waits || phase === 'error') {
      clearTimeout(this.#patience);
      this.state.set({ busy: false });
    } else this.#wait();
    this.state.set({ playing: wantsPlay, rate, gap, ended, sound, message: phase === 'error' ? message : '' });
  }

  /** Says that it waits, if that takes long. */
  #wait() {
    if (this.state.value.busy) return;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      const waits = this.#target !== null || this.#engine?.state.phase === 'buffering' || this.#engine?.state.phase === 'gap';
      if (waits) this.state.set({ busy: true });
    }, patienceMs);
  }
}
