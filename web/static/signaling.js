/**
 * The connection to the signaling service: proves who this browser is, carries
 * sealed messages to and from other peers, asks for their keys, and comes back
 * by itself.
 */
import { Backoff, pause } from './backoff.js';
import { stunServers } from './ice.js';
import { sign } from './jws.js';
import { keyStatement } from './keys.js';

export const subprotocol = 'sightline.signal.v1';

/** Longest frame, in characters. */
const maxFrame = 100 * 1024;

/** A connection that says nothing for this long before it is registered is given up, in milliseconds. */
const registerMs = 10_000;

/** How many sent messages are remembered to connect an error with its cause. */
const maxPending = 64;

/** How many peers' key statements are remembered. */
const maxKnown = 64;

const offline = () => new SignalingError('offline', 'The signaling service cannot be reached.');

/**
 * @typedef {object} Lookup
 * @property {string} to
 * @property {(keys: string) => void} resolve
 * @property {(error: SignalingError) => void} reject
 *
 * @typedef {'connecting' | 'online' | 'offline' | 'displaced' | 'closed'} SignalingState
 *   displaced: another tab of this browser has taken over; the next send takes it back
 */

/** The service refuses or cannot deliver a message. */
export class SignalingError extends Error {
  name = 'SignalingError';

  /**
   * @param {string} code a code of the wire protocol, or "offline"
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Signaling {
  // Constant after construction.
  #url;
  #identity;
  #WebSocket;
  #random;

  /** @type {SignalingState} */ #state = 'offline';
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {WebSocket | null} the socket over which this browser has registered */ #greeted = null;
  /** @type {Promise<string> | null} this browser's key statement, once it was needed */ #statement = null;
  #resume = '';
  /** @type {import('./ice.js').IceServer[]} */ #stun = [];
  #ref = 0;
  /** @type {Map<number, Lookup>} those without an answer, by number */ #lookups = new Map();
  /** @type {Map<string, string>} key statements that came over this socket, by peer */ #known = new Map();
  /** @type {Map<number, (error: SignalingError) => void>} */ #pending = new Map();
  /** @type {Set<(from: string, payload: string) => void>} */ #listeners = new Set();
  /** @type {Set<() => void>} */ #watchers = new Set();
  /** @type {AbortController | null} the loop that keeps the connection */ #loop = null;
  #skipWait = new AbortController();
  /** Gives the connection up without waiting for its end. */ #drop = () => {};
  /** Whether the next connection is made without a wait. */ #hurry = false;

  /**
   * @param {object} options
   * @param {string} options.url ws: or wss:
   * @param {import('./identity.js').Identity} options.identity
   * @param {typeof WebSocket} [options.WebSocket]
   * @param {() => number} [options.random]
   */
  constructor({ url, identity, WebSocket = globalThis.WebSocket, random = Math.random }) {
    this.#url = url;
    this.#identity = identity;
    this.#WebSocket = WebSocket;
    this.#random = random;
  }

  get state() {
    return this.#state;
  }

  /** Where the service is. */
  get url() {
    return this.#url;
  }

  /** The service's name, in its one spelling. */
  get host() {
    return canonicalHost(this.#url);
  }

  /** The service's STUN servers, as it named them last. */
  get stun() {
    return this.#stun;
  }

  /** Connects and stays connected until close, or until another tab takes over. */
  connect() {
    if (this.#state === 'closed') return;
    if (this.#loop) {
      this.#skipWait.abort();
      return;
    }
    this.#loop = new AbortController();
    void this.#run(this.#loop.signal);
  }

  /** Ends the connection for good. */
  close() {
    this.#loop?.abort();
    this.#loop = null;
    this.#setState('closed');
    this.#socket?.close(1000);
    for (const { reject } of [...this.#lookups.values()]) reject(offline());
  }

  /**
   * Waits until the service knows this browser, connecting if need be.
   *
   * @param {AbortSignal} [signal]
   * @returns {Promise<void>}
   * @throws {SignalingError} "offline" if it is closed or the signal aborts first
   */
  async ready(signal) {
    this.connect();
    while (this.#state !== 'online') {
      if (this.#state === 'closed' || signal?.aborted) throw offline();
      await this.#change(signal);
    }
  }

  /**
   * Asks for a peer's key statement, connecting if need be. While the
   * connection is being made the question goes out right behind the
   * registration, so that it costs no time.
   *
   * @param {string} to
   * @param {AbortSignal} [signal] gives it up
   * @returns {Promise<string>} not verified; openKeyStatement does that
   * @throws {SignalingError} "unreachable" if the peer is not there, "offline" if the service is not
   */
  lookup(to, signal) {
    this.connect();
    this.#ref += 1;
    const ref = this.#ref;
    return new Promise((resolve, reject) => {
      if (this.#state === 'closed' || signal?.aborted) return reject(offline());
      const end = () => {
        this.#lookups.delete(ref);
        signal?.removeEventListener('abort', giveUp);
      };
      const giveUp = () => this.#lookups.get(ref)?.reject(offline());
      signal?.addEventListener('abort', giveUp);
      this.#lookups.set(ref, {
        to,
        resolve: (keys) => (end(), resolve(keys)),
        reject: (error) => (end(), reject(error)),
      });
      this.#greeted?.send(JSON.stringify({ type: 'lookup', to, ref }));
    });
  }

  /**
   * Finds out whether the connection still carries anything, by asking for a
   * peer's keys. One that does not is given up, and made anew at once: a socket
   * whose network is gone says nothing for minutes.
   *
   * @param {string} peer
   * @param {number} ms how long the service has to answer
   */
  async check(peer, ms) {
    const socket = this.#socket;
    if (this.#state !== 'online') return;
    const answered = await this.lookup(peer, AbortSignal.timeout(ms)).then(() => true, ({ code }) => code !== 'offline');
    if (answered || socket !== this.#socket) return;
    this.#hurry = true;
    this.#drop();
  }

  /**
   * @param {string} peer
   * @returns {string | undefined} the key statement that the service gave last, over this very connection
   */
  knownKeys(peer) {
    return this.#known.get(peer);
  }

  /**
   * Sends a sealed message to a peer. The service answers only if something
   * is wrong, by onError.
   *
   * @param {string} to
   * @param {string} payload
   * @param {(error: SignalingError) => void} [onError]
   * @throws {SignalingError} "offline" if there is no connection now
   */
  send(to, payload, onError) {
    if (this.#state !== 'online' || !this.#socket) throw offline();
    this.#ref += 1;
    if (onError) {
      this.#pending.set(this.#ref, onError);
      const [oldest] = this.#pending.keys();
      if (this.#pending.size > maxPending) this.#pending.delete(oldest);
    }
    this.#socket.send(JSON.stringify({ type: 'send', to, ref: this.#ref, payload }));
  }

  /**
   * @param {(from: string, payload: string) => void} listener called for every message of another peer
   * @returns {() => void} ends it
   */
  listen(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * @param {() => void} watcher called whenever the state changes
   * @returns {() => void} ends it
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** @param {AbortSignal} stop */
  async #run(stop) {
    const backoff = new Backoff({ limitMs: 20_000, random: this.#random });
    while (!stop.aborted) {
      const registered = await this.#once(stop);
      if (stop.aborted) break;
      if (registered) backoff.reset();
      this.#setState('offline');
      this.#skipWait = new AbortController();
      if (!this.#hurry) await pause(backoff.next(), AbortSignal.any([stop, this.#skipWait.signal]));
      this.#hurry = false;
    }
    if (this.#loop?.signal === stop) this.#loop = null;
  }

  /**
   * One connection, from dialling to its end.
   *
   * @param {AbortSignal} stop
   * @returns {Promise<boolean>} whether it was registered
   */
  #once(stop) {
    this.#setState('connecting');
    return new Promise((resolve) => {
      let registered = false;
      const socket = new this.#WebSocket(this.#url, subprotocol);
      this.#socket = socket;
      const end = () => {
        clearTimeout(timer);
        stop.removeEventListener('abort', abort);
        if (this.#socket === socket) this.#socket = null;
        if (this.#greeted === socket) this.#greeted = null;
        this.#known.clear();
        resolve(registered);
      };
      const abort = () => socket.close(1000);
      this.#drop = () => {
        socket.onclose = socket.onmessage = null;
        abort();
        end();
      };
      const timer = setTimeout(abort, registerMs);
      stop.addEventListener('abort', abort);
      socket.onclose = end;
      socket.onmessage = (event) => {
        const message = parseFrame(event.data);
        if (message === null) return socket.close(4000, 'bad frame');
        if (message.type === 'registered') {
          registered = true;
          clearTimeout(timer);
        }
        this.#handle(socket, message).catch((error) => {
          console.warn('sightline: a signaling message is not handled', error);
          socket.close(4000, 'bad message');
        });
      };
    });
  }

  /**
   * @param {WebSocket} socket
   * @param {Record<string, any>} message
   */
  async #handle(socket, message) {
    switch (message.type) {
      case 'challenge':
        await this.#register(socket, message.nonce);
        break;
      case 'registered':
        this.#resume = String(message.resume ?? '');
        this.#stun = stunServers(message.stun);
        this.#setState('online');
        break;
      case 'keys':
        this.#found(message);
        break;
      case 'message':
        for (const listener of [...this.#listeners]) listener(String(message.from), String(message.payload));
        break;
      case 'error':
        this.#refused(message);
        break;
      default: // A later version of the service may say more.
    }
  }

  /**
   * Registers, and asks at once for the keys that are wanted.
   *
   * @param {WebSocket} socket
   * @param {unknown} nonce
   */
  async #register(socket, nonce) {
    this.#statement ??= keyStatement(this.#identity);
    const [jws, keys] = await Promise.all([this.#proof(nonce), this.#statement]);
    if (this.#socket !== socket) return;
    socket.send(JSON.stringify({ type: 'register', jws, keys }));
    this.#greeted = socket;
    for (const [ref, { to }] of this.#lookups) socket.send(JSON.stringify({ type: 'lookup', to, ref }));
  }

  /** @param {Record<string, any>} message */
  #found({ of, ref, keys }) {
    const lookup = this.#lookups.get(ref);
    if (!lookup || lookup.to !== of || typeof keys !== 'string') return;
    this.#known.delete(of);
    this.#known.set(of, keys);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxKnown) this.#known.delete(oldest);
    lookup.resolve(keys);
  }

  /** @param {unknown} nonce @returns {Promise<string>} */
  #proof(nonce) {
    const claim = {
      type: 'register',
      nonce: String(nonce),
      host: this.host,
      id: this.#identity.peerId,
      resume: this.#resume,
    };
    return sign(this.#identity, JSON.stringify(claim));
  }

  /** @param {Record<string, any>} message */
  #refused({ code, ref, message }) {
    if (code === 'displaced') {
      // Coming back at once would start a fight between two tabs.
      this.#loop?.abort();
      this.#loop = null;
      this.#setState('displaced');
    }
    if (code === 'unauthenticated') this.#resume = '';
    const error = new SignalingError(String(code), String(message));
    const onError = this.#pending.get(ref);
    this.#pending.delete(ref);
    onError?.(error);
    const lookup = this.#lookups.get(ref);
    if (code === 'unreachable' && lookup) this.#known.delete(lookup.to);
    lookup?.reject(error);
  }

  /** @param {SignalingState} state */
  #setState(state) {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** @param {AbortSignal} [signal] @returns {Promise<void>} */
  #change(signal) {
    return new Promise((resolve) => {
      const end = () => {
        stop();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const stop = this.watch(end);
      signal?.addEventListener('abort', end);
    });
  }
}

/**
 * The one spelling of the service's name: lower case, without the ports 80 and
 * 443 and without a final dot.
 *
 * @param {string} url
 * @returns {string}
 */
export function canonicalHost(url) {
  return new URL(url).host.toLowerCase().replace(/:(?:80|443)$/, '').replace(/\.$/, '');
}

/** @param {unknown} data @returns {Record<string, any> | null} */
function parseFrame(data) {
  if (typeof data !== 'string' || data.length > maxFrame) return null;
  try {
    const message = JSON.parse(data);
    return typeof message?.type === 'string' ? message : null;
  } catch {
    return null;
  }
}
