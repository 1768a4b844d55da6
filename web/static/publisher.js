/**
 * Keeps a session with one publisher alive: connects, follows its cameras,
 * notices when something is wrong and makes a new session, while the old one
 * stays on the screen until it is certain that it is dead.
 */
import { Backoff, pause } from './backoff.js';
import { measureClock } from './clock.js';
import { readEvents } from './events.js';
import { PathKeeper } from './path-keeper.js';
import { PathNotes } from './path-notes.js';
import { reach } from './reach.js';
import { SessionError } from './session-error.js';
import { maxCameras } from './session.js';
import { Store } from './store.js';
import { TrustError } from './trust.js';

/**
 * A camera as GET /v1/cameras describes it.
 *
 * @typedef {object} Camera
 * @property {string} id
 * @property {string} name
 * @property {'live' | 'connecting' | 'offline'} state
 * @property {string} since RFC 3339
 * @property {string} reason
 * @property {string} warning
 * @property {string} codec
 * @property {number} width
 * @property {number} height
 * @property {string} audio empty without sound
 * @property {boolean} testPattern
 *
 * @typedef {object} Problem
 * @property {string} code see SessionError
 * @property {string} message
 *
 * @typedef {object} PublisherState
 * @property {'connecting' | 'connected' | 'waiting'} phase waiting: until the next attempt
 * @property {boolean} shaky nothing arrives at the moment; a new session is being made
 * @property {Problem | null} problem of the last attempt; null once connected
 * @property {Camera[] | null} cameras null before the list is known
 * @property {ReadonlyMap<string, MediaStream>} streams by camera id
 * @property {Readonly<Record<string, string>>} refused why a camera could not be added, by id
 * @property {import('./stats.js').ConnectionStats | null} connection
 * @property {string} story why the connection is direct or relayed; empty while that is not known
 * @property {ReadonlyMap<string, import('./player-stats.js').CameraStats>} stats by camera id
 * @property {number} clockOffsetMs the agent's clock less this one
 * @property {import('./trust.js').Me | null} me what this browser may do here; null until the agent has said it
 * @property {import('./http1.js').HttpClient | null} http requests over the session of the moment; null without one
 * @property {ClaimState | null} claim null unless the page was opened by a link that gives access
 *
 * @typedef {object} ClaimState
 * @property {'pair' | 'invite'} kind
 * @property {'asking' | 'connecting' | 'proving' | 'done' | 'failed'} phase asking: until Publisher.claim is called with
 *   a name; failed: see problem, and claim again or skipClaim
 * @property {'owner' | 'guest' | ''} role what came of it, once done
 * @property {Problem | null} problem
 * @property {number} retryAfterSeconds with the problem "locked"
 */

/** Problems that only people can solve; they are looked at again, but not often. */
const slowProblems = new Set(['forbidden', 'bad_request', 'no_camera', 'locked', 'pairing_closed']);
const slowMs = 10_000;

/** What an agent says itself. */
const refusals = new Set([...slowProblems, 'busy']);
const sampleMs = 1000;

/** @type {PublisherState} */
const atFirst = {
  phase: 'connecting',
  shaky: false,
  problem: null,
  cameras: null,
  streams: new Map(),
  refused: {},
  connection: null,
  story: '',
  stats: new Map(),
  clockOffsetMs: 0,
  me: null,
  http: null,
  claim: null,
};

export class Publisher {
  // Constant after construction.
  #peer;
  #identity;
  #signaling;
  #connect;
  #trust;
  #book;

  state = new Store(atFirst);
  /** @type {import('./address.js').Claim | null} what is to be proved before anything else */ #claim;
  /** @type {import('./session.js').Session | null} */ #session = null;
  /** @type {PathKeeper | null} of the session */ #keeper = null;
  /** @type {PathNotes | null} of the session, if there is an address book */ #notes = null;
  /** @type {string[]} */ #wanted;
  /** Aborts when there is nothing to prove any more. */ #claimed = new AbortController();
  #stopped = new AbortController();
  #skipWait = new AbortController();
  #agentAheadMs = 0;

  /**
   * @param {object} options
   * @param {string} options.peer
   * @param {import('./identity.js').Identity} options.identity
   * @param {import('./signaling.js').Signaling} options.signaling
   * @param {string[]} options.cameras what to ask for first; "" is the agent's first camera
   * @param {import('./trust.js').Trust} [options.trust] the page's
   * @param {import('./address.js').Claim | null} [options.claim] out of the link by which the page was opened
   * @param {import('./addressbook.js').AddressBook} [options.book] the page's
   * @param {(options: import('./session.js').SessionOptions) => Promise<import('./session.js').Session>} [options.connect]
   *   makes a session
   */
  constructor({ peer, identity, signaling, cameras, trust, claim = null, book, connect = reach }) {
    this.#peer = peer;
    this.#identity = identity;
    this.#signaling = signaling;
    this.#wanted = cameras;
    this.#connect = connect;
    this.#trust = trust;
    this.#book = book;
    this.#claim = claim;
    if (!claim) this.#claimed.abort();
    else this.state.set({ claim: { kind: claim.kind, phase: 'asking', role: '', problem: null, retryAfterSeconds: 0 } });
  }

  get peer() {
    return this.#peer;
  }

  /** Works until stop is called. @returns {Promise<void>} */
  async run() {
    const stop = this.#stopped.signal;
    const ticker = setInterval(() => void this.#sample(), sampleMs);
    const backoff = new Backoff({ firstMs: 500, limitMs: 8_000 });
    try {
      if (this.#claim) await aborted(this.#claimed.signal, stop);
      while (!stop.aborted) {
        if (await this.#attempt()) backoff.reset();
        else await this.#wait(backoff);
        await this.#untilTrouble();
      }
    } finally {
      clearInterval(ticker);
      this.#session?.close();
    }
  }

  /** Ends the session for good. */
  stop() {
    this.#stopped.abort();
    this.#session?.close();
  }

  /** Tries again now instead of later. */
  retry() {
    this.#skipWait.abort();
    this.#signaling.connect();
  }

  /**
   * Proves the secret of the link by which the page was opened; state.claim says
   * how it goes, and afterwards the publisher is watched as usual.
   *
   * @param {{ name: string, device: string, home?: 'join' | 'new' }} options of the person, as others will see it
   * @returns {Promise<void>}
   */
  async claim({ name, device, home }) {
    const { claim } = this.state.value;
    if (!this.#claim || !this.#trust || !claim || !['asking', 'failed'].includes(claim.phase)) return;
    this.state.set({ claim: { ...claim, phase: 'connecting', problem: null, retryAfterSeconds: 0 } });
    try {
      const { role } = await this.#trust.claim(
        { peer: this.#peer, claim: this.#claim, name, device, home },
        { signal: this.#stopped.signal, onPhase: (phase) => this.state.set({ claim: { ...claim, phase } }) },
      );
      this.#claim = null;
      this.state.set({ claim: { ...claim, phase: 'done', role } });
      this.#claimed.abort();
    } catch (error) {
      const known = error instanceof TrustError;
      if (!known) console.error('sightline: a claim failed', error);
      const code = known ? error.code : 'internal';
      const message = known ? error.message : 'Something in this page went wrong. Try again.';
      const retryAfterSeconds = known ? error.retryAfterSeconds : 0;
      this.state.set({ claim: { ...claim, phase: 'failed', problem: { code, message }, retryAfterSeconds } });
    }
  }

  /** Leaves the secret alone and watches with what this browser may do already. */
  skipClaim() {
    this.#claim = null;
    this.state.set({ claim: null });
    this.#claimed.abort();
  }

  /**
   * Watches exactly these cameras from now on.
   *
   * @param {string[]} cameras
   */
  want(cameras) {
    if (cameras.length === this.#wanted.length && cameras.every((id, i) => id === this.#wanted[i])) return;
    this.#wanted = cameras;
    void this.#applyWanted();
  }

  /** @returns {Promise<boolean>} whether there is a good session now */
  async #attempt() {
    const giveUp = new AbortController();
    const old = this.#session;
    const watching = old?.watch(() => {
      if (old.health === 'good') giveUp.abort();
    });
    try {
      this.state.set({ phase: old ? 'connected' : 'connecting', shaky: old !== null });
      const session = await this.#connect({
        peer: this.#peer,
        identity: this.#identity,
        signaling: this.#signaling,
        cameras: this.#wanted.slice(0, maxCameras),
        clockOffsetMs: this.#agentAheadMs,
        standing: this.#standing(),
        book: this.#book,
        signal: AbortSignal.any([this.#stopped.signal, giveUp.signal]),
      });
      this.#adopt(session);
      return true;
    } catch (error) {
      if (giveUp.signal.aborted) return true;
      this.#failed(error);
      return false;
    } finally {
      watching?.();
    }
  }

  /** @returns {Promise<import('./messages.js').Standing>} */
  async #standing() {
    try {
      return { grants: await this.#trust?.grantsFor(this.#peer) };
    } catch (error) {
      console.warn('sightline: the grants of this browser cannot be read', error);
      return {};
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    if (this.#stopped.signal.aborted) return;
    const known = error instanceof SessionError;
    if (!known) console.error('sightline: a session failed', error);
    if (known && error.code === 'expired') this.#agentAheadMs = error.clockOffsetMs;
    // The agent is there and says no: nothing more comes over the old session.
    if (known && refusals.has(error.code) && this.#session) this.#drop(this.#session);
    const problem = known
      ? { code: error.code, message: error.message }
      : { code: 'internal', message: 'Something in this page went wrong. Trying again.' };
    this.state.set({ phase: this.#session ? 'connected' : 'waiting', problem });
  }

  /** @param {Backoff} backoff */
  async #wait(backoff) {
    const code = this.state.value.problem?.code ?? '';
    if (code === 'expired') return;
    this.#skipWait = new AbortController();
    const ms = slowProblems.has(code) ? slowMs : backoff.next();
    await pause(ms, AbortSignal.any([this.#stopped.signal, this.#skipWait.signal]));
  }

  /** Waits while the session is good. @returns {Promise<void>} */
  #untilTrouble() {
    const session = this.#session;
    if (!session) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        const { health } = session;
        if (health === 'good') return this.state.set({ shaky: false, problem: null });
        stop();
        return resolve();
      };
      const stop = session.watch(check);
      check();
    });
  }

  /** @param {import('./session.js').Session} session */
  #adopt(session) {
    const old = this.#session;
    this.#session = session;
    old?.close('The viewer has a new session.');
    if (this.#stopped.signal.aborted) return session.close();
    session.ended.addEventListener('abort', () => this.#drop(session));
    this.state.set({ phase: 'connected', shaky: false, problem: null, refused: {}, streams: session.streams, http: session.http });
    this.#keeper = new PathKeeper(session);
    this.#keeper.run();
    this.#notes = this.#book ? new PathNotes({ peer: this.#peer, session, book: this.#book }) : null;
    void this.#notes?.run();
    void this.#follow(session);
    void this.#sample();
    void this.#attach(session);
  }

  /** @param {import('./session.js').Session} session */
  async #attach({ http, ended }) {
    const me = (await this.#trust?.attach({ peer: this.#peer, http, ended })) ?? null;
    if (!ended.aborted) this.state.set({ me });
  }

  /** @param {import('./session.js').Session} session a session that is dead */
  #drop(session) {
    session.close();
    if (this.#session !== session) return;
    this.#session = null;
    this.state.set({ phase: 'connecting', shaky: false, streams: new Map(), stats: new Map(), connection: null, story: '', http: null });
  }

  /**
   * Follows the cameras of the publisher as long as the session lasts.
   *
   * @param {import('./session.js').Session} session
   */
  async #follow(session) {
    const signal = session.ended;
    const backoff = new Backoff({ firstMs: 500, limitMs: 10_000 });
    while (!signal.aborted) {
      try {
        const events = await session.http.request('/v1/events', { signal, headers: { Accept: 'text/event-stream' } });
        await this.#loadCameras(session);
        if (!events.ok) throw new TypeError('the agent does not send events');
        for await (const { type, data } of readEvents(events.body)) {
          backoff.reset();
          if (type === 'camera') this.#setCamera(JSON.parse(data));
        }
      } catch (error) {
        if (!signal.aborted) console.debug('sightline: the list of cameras is read again', error);
      }
      await pause(backoff.next(), signal);
    }
  }

  /** @param {import('./session.js').Session} session */
  async #loadCameras(session) {
    const response = await session.http.request('/v1/cameras', { signal: session.ended });
    const { cameras } = await response.json();
    if (!response.ok || !Array.isArray(cameras)) throw new TypeError('the agent does not list its cameras');
    if (this.#session !== session) return;
    if (cameras.length > 0) {
      session.nameFirst(cameras[0].id);
      this.#wanted = this.#wanted.map((id) => id || cameras[0].id);
    }
    this.state.set({ cameras, streams: session.streams });
    await this.#applyWanted();
    if (cameras.some(({ testPattern }) => testPattern)) {
      const { offsetMs } = await measureClock(session.http, { signal: session.ended });
      this.state.set({ clockOffsetMs: offsetMs });
    }
  }

  /** @param {Camera} camera */
  #setCamera(camera) {
    const cameras = this.state.value.cameras ?? [];
    const known = cameras.some(({ id }) => id === camera.id);
    this.state.set({
      cameras: known ? cameras.map((each) => (each.id === camera.id ? camera : each)) : [...cameras, camera],
    });
  }

  async #applyWanted() {
    const session = this.#session;
    // Before the list is known "" cannot be told from the camera it stands for.
    if (!session || !this.state.value.cameras) return;
    const cameras = this.#wanted.slice(0, maxCameras);
    const list = this.state.value.cameras;
    const reason = `At most ${maxCameras} cameras are shown side by side. Open this one alone.`;
    const beyond = Object.fromEntries(this.#wanted.slice(maxCameras).map((id) => [id, reason]));
    try {
      await session.setCameras(cameras.map((id) => ({ id, sound: list.find((each) => each.id === id)?.audio !== '' })));
      if (this.#session === session) this.state.set({ refused: beyond, streams: session.streams });
    } catch (error) {
      if (this.#session !== session || session.ended.aborted) return;
      // A new session starts with the cameras that are wanted now.
      if (error instanceof SessionError && error.code === 'full') return session.close();
      const reason = error instanceof SessionError ? error.message : 'The agent did not answer. Open the camera again.';
      const missing = cameras.filter((id) => !session.streams.has(id));
      const refused = { ...beyond, ...Object.fromEntries(missing.map((id) => [id, reason])) };
      this.state.set({ refused, streams: session.streams });
    }
  }

  async #sample() {
    const session = this.#session;
    if (!session || session.health === 'closed') return;
    const { connection, cameras } = await session.sample();
    if (this.#session !== session) return;
    this.#keeper?.see(connection);
    const story = this.#notes?.see(connection) ?? '';
    this.state.set({ connection, story, stats: cameras });
  }
}

/** @param {...AbortSignal} signals @returns {Promise<void>} until one of them is aborted */
function aborted(...signals) {
  const any = AbortSignal.any(signals);
  return new Promise((resolve) => {
    if (any.aborted) resolve();
    else any.addEventListener('abort', () => resolve());
  });
}
