/**
 * What a session says through the signaling service: the offer, and after the
 * answer candidates, restarts of ICE and the end. Every message is signed and
 * sealed (messages.js); the service may be gone once the answer is here.
 */
import { KeyStatementError, openKeyStatement } from './keys.js';
import { Negotiation } from './messages.js';
import { SessionError } from './session-error.js';

/** How long an answer is waited for, in milliseconds. */
const answerMs = 10_000;

/**
 * @typedef {object} HandshakeOptions
 * @property {string} peer
 * @property {import('./identity.js').Identity} identity
 * @property {import('./signaling.js').Signaling} signaling
 * @property {AbortSignal} ended ends everything
 * @property {number} [clockOffsetMs] how far the publisher's clock is ahead, if it said so
 * @property {import('./messages.js').Standing | Promise<import('./messages.js').Standing>} [standing] what the offer
 *   shows; it is waited for when everything else is there, and must not fail
 * @property {(message: import('./messages.js').Candidate | import('./messages.js').RestartRequest |
 *   import('./messages.js').Bye) => void | Promise<void>} onMessage called for one after the other
 */

export class Handshake {
  // Constant after construction.
  #peer;
  #signaling;
  #standing;
  #ended;
  #onMessage;
  #negotiation;

  /** @type {Promise<string> | null} the publisher's key statement */ #keys = null;
  /** One message after the other, both ways: their numbers rise. */
  #outgoing = Promise.resolve();
  #incoming = Promise.resolve();
  /** @type {(message: import('./messages.js').Answer | import('./messages.js').Reject) => void} */ #onFirst = () => {};
  /** @type {(message: import('./messages.js').Restarted) => void} */ #onRestarted = () => {};

  /** @param {HandshakeOptions} options */
  constructor({ peer, identity, signaling, ended, clockOffsetMs = 0, standing = {}, onMessage }) {
    this.#peer = peer;
    this.#signaling = signaling;
    this.#standing = standing;
    this.#ended = ended;
    this.#onMessage = onMessage;
    this.#negotiation = new Negotiation({ identity, peer, now: () => Date.now() + clockOffsetMs });
    const stop = signaling.listen((from, payload) => {
      if (from === peer) this.#incoming = this.#incoming.then(() => this.#receive(payload));
    });
    ended.addEventListener('abort', stop);
  }

  /** Whether the answer is here, so that candidates can be exchanged. */
  get answered() {
    return this.#negotiation.answered;
  }

  /** Names the handshake of this session and no other, the same at both ends; empty before the answer. */
  get transcript() {
    return this.#negotiation.transcript;
  }

  /** Begins to look for the publisher. */
  find() {
    this.#keys = this.#signaling.lookup(this.#peer, this.#deadline(answerMs));
    this.#keys.catch(() => {}); // Whoever waits for it is told.
  }

  /**
   * Waits until the service knows this browser.
   *
   * @param {number} [ms] how long at most
   * @returns {Promise<void>}
   * @throws {import('./signaling.js').SignalingError}
   */
  ready(ms = answerMs) {
    return this.#signaling.ready(this.#deadline(ms));
  }

  /**
   * Offers a session and waits for the answer; find was called before.
   *
   * @param {() => Promise<{ sdp: string, media: import('./messages.js').MediaLine[] }>} describe called when
   *   everything else is there
   * @returns {Promise<import('./messages.js').Answer>}
   * @throws {SessionError | import('./signaling.js').SignalingError}
   */
  async offer(describe) {
    const keys = this.#keys ?? Promise.reject(new TypeError('find was not called'));
    await this.ready();
    // The key of a moment ago is most likely the key: the offer does not wait
    // for the one that is asked for.
    const known = this.#signaling.knownKeys(this.#peer);
    await this.#sealTo(known ?? (await keys));
    const { sdp, media } = await describe();
    performance.mark('sightline:offer');
    const offer = await this.#negotiation.offer(sdp, media, await this.#standing);
    const answer = await this.#answerTo(offer, known === undefined ? null : keys);
    performance.mark('sightline:answer');
    if (answer.type === 'reject') throw new SessionError(answer.code, answer.reason, answer.clockOffsetMs);
    return answer;
  }

  /** @param {RTCIceCandidate} candidate */
  candidate({ candidate, sdpMid }) {
    this.#say(() => this.#negotiation.candidate(candidate, sdpMid ?? ''));
  }

  /** @param {string} reason */
  bye(reason) {
    if (this.answered) this.#say(() => this.#negotiation.bye(reason));
  }

  /**
   * Offers new ICE parameters. Candidates that follow belong to them.
   *
   * @param {string} sdp
   * @param {number} ms how long the answer is waited for
   * @returns {Promise<import('./messages.js').Restarted>}
   * @throws {SessionError | import('./signaling.js').SignalingError}
   */
  restart(sdp, ms) {
    return new Promise((resolve, reject) => {
      const signal = this.#deadline(ms);
      signal.addEventListener('abort', () => {
        reject(new SessionError('no-answer', 'The agent does not answer.'));
      });
      this.#onRestarted = resolve;
      this.#outgoing = this.#outgoing
        .then(() => this.#negotiation.restart(sdp))
        .then((payload) => this.#signaling.send(this.#peer, payload, reject))
        .catch(reject);
    });
  }

  /**
   * @param {string} statement
   * @returns {Promise<boolean>} whether the publisher has another key than before
   */
  async #sealTo(statement) {
    try {
      return this.#negotiation.sealTo(await openKeyStatement(statement, this.#peer));
    } catch (error) {
      if (!(error instanceof KeyStatementError)) throw error;
      console.warn('sightline: a key statement is refused', error);
      throw new SessionError(
        'bad-answer',
        'The signaling service has given a key that is not this agent’s. Do not trust the service; ask whoever runs it.',
      );
    }
  }

  /**
   * @param {string} offer
   * @param {Promise<string> | null} keys the publisher's key statement, if the offer was sealed before it came
   * @returns {Promise<import('./messages.js').Answer | import('./messages.js').Reject>}
   */
  #answerTo(offer, keys) {
    return new Promise((resolve, reject) => {
      const signal = this.#deadline(answerMs);
      signal.addEventListener('abort', () => {
        reject(new SessionError('no-answer', 'The agent is known to the signaling service but does not answer.'));
      });
      this.#onFirst = resolve;
      this.#signaling.send(this.#peer, offer, reject);
      keys?.then((statement) => this.#offerAgain(statement, reject)).catch(reject);
    });
  }

  /**
   * An agent that was started again has a new key and could not read the offer.
   *
   * @param {string} statement
   * @param {(error: import('./signaling.js').SignalingError) => void} onError
   */
  async #offerAgain(statement, onError) {
    if (this.answered || !(await this.#sealTo(statement))) return;
    this.#signaling.send(this.#peer, await this.#negotiation.offerAgain(), onError);
  }

  /** @param {string} payload */
  async #receive(payload) {
    if (this.#ended.aborted) return;
    try {
      const message = await this.#negotiation.read(payload);
      if (message.type === 'answer' || message.type === 'reject') this.#onFirst(message);
      else if (message.type === 'restarted') this.#onRestarted(message);
      else await this.#onMessage(message);
    } catch (error) {
      // Made by somebody else, or meant for another session: not ours to act on.
      console.debug('sightline: a message is ignored', error);
    }
  }

  /**
   * Sends a signed message if the signaling service is there; nothing said
   * this way is needed by a session that works.
   *
   * @param {() => Promise<string>} make
   */
  #say(make) {
    this.#outgoing = this.#outgoing
      .then(make)
      .then((payload) => this.#signaling.send(this.#peer, payload))
      .catch((error) => console.debug('sightline: a message is not sent', error));
  }

  /** @param {number} ms @returns {AbortSignal} */
  #deadline(ms) {
    return AbortSignal.any([this.#ended, AbortSignal.timeout(ms)]);
  }
}

/**
 * All tabs of a browser share one identity, and the signaling service keeps
 * one connection of it: they make their sessions one after the other.
 *
 * @template T
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function takingTurns(signal, action) {
  if (!globalThis.navigator?.locks) return action();
  return navigator.locks.request('sightline-signaling', { signal }, action);
}
