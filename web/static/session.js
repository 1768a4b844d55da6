/**
 * One session with a publisher: one peer connection, however many cameras are
 * watched. The first offer goes through the signaling service and names the
 * first cameras; everything later goes over the connection itself, which does
 * not need the signaling service any more.
 */
import { HttpClient, windowProtocol } from './http1.js';
import { KeyStatementError, openKeyStatement } from './keys.js';
import { Lane } from './lane.js';
import { Negotiation } from './messages.js';
import { SignalingError } from './signaling.js';
import { summarize } from './stats.js';

const answerMs = 10_000;
const connectMs = 15_000;

/** Nothing arrived for this long: something is wrong. The keep-alives of ICE come every 2.5 s. */
const silentMs = 4_000;

/** Cameras that one session can carry in its life; the protocol's limit on media sections. */
export const maxCameras = 16;

/** Why a session could not be made; the message is a sentence for a person. */
export class SessionError extends Error {
  name = 'SessionError';

  /**
   * @param {string} code a reject code, an error code of signaling, or "no-signaling", "no-answer",
   *   "no-route", "bad-answer", "full", "aborted"
   * @param {string} message
   * @param {number} [clockOffsetMs] with "expired": how far the publisher's clock is ahead
   */
  constructor(code, message, clockOffsetMs = 0) {
    super(message);
    this.code = code;
    this.clockOffsetMs = clockOffsetMs;
  }
}

/**
 * @typedef {object} SessionOptions
 * @property {string} peer
 * @property {import('./identity.js').Identity} identity
 * @property {import('./signaling.js').Signaling} signaling
 * @property {string[]} cameras the first cameras; "" is the agent's first one; none for requests alone
 * @property {AbortSignal} signal gives the attempt up
 * @property {number} [clockOffsetMs] how far the publisher's clock is ahead, if it said so
 * @property {import('./messages.js').Standing | Promise<import('./messages.js').Standing>} [standing] what the offer
 *   shows; it is waited for when everything else is there, and must not fail
 */

export class Session {
  // Constant after construction.
  #peer;
  #signaling;
  #negotiation;
  #standing;
  #connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
  /** @type {RTCDataChannel | null} the channel of the first offer, until it is used */ #firstChannel;
  #ended = new AbortController();
  /** @type {Lane[]} */ #lanes;
  /** @type {HttpClient} */ http;

  /** @type {RTCIceCandidate[]} local candidates that came after the offer */ #late = [];
  /** One message after the other, both ways: their numbers rise. */
  #outgoing = Promise.resolve();
  #incoming = Promise.resolve();
  #renegotiation = Promise.resolve();

  /** @type {import('./stats.js').Sample | null} */ #sample = null;
  #activeAt = performance.now();
  /** @type {Set<() => void>} */ #watchers = new Set();
  /** @type {(message: import('./messages.js').Incoming) => void} the first message is for connect */
  #onFirst = () => {};

  /**
   * Makes a session and waits until it is connected.
   *
   * @param {SessionOptions} options
   * @returns {Promise<Session>}
   * @throws {SessionError}
   */
  static async connect(options) {
    const session = new Session(options);
    const abort = () => session.close();
    options.signal.addEventListener('abort', abort);
    try {
      options.signal.throwIfAborted();
      await takingTurns(options.signal, () => session.#negotiate());
      await session.#connected();
      return session;
    } catch (error) {
      session.close();
      if (options.signal.aborted) throw new SessionError('aborted', 'The attempt was given up.');
      if (error instanceof SignalingError) {
        throw new SessionError(error.code === 'offline' ? 'no-signaling' : error.code, error.message);
      }
      throw error;
    } finally {
      options.signal.removeEventListener('abort', abort);
    }
  }

  /** @param {SessionOptions} options */
  constructor({ peer, identity, signaling, cameras, clockOffsetMs = 0, standing = {} }) {
    this.#peer = peer;
    this.#signaling = signaling;
    this.#standing = standing;
    this.#negotiation = new Negotiation({ identity, peer, now: () => Date.now() + clockOffsetMs });
    this.#firstChannel = this.#openChannel();
    this.#lanes = cameras.map((camera) => new Lane(this.#connection, camera, true));
    this.http = new HttpClient({
      host: peer,
      open: () => {
        const channel = this.#firstChannel ?? this.#openChannel();
        this.#firstChannel = null;
        return channel;
      },
    });
    const stop = signaling.listen((from, payload) => {
      if (from === peer) this.#incoming = this.#incoming.then(() => this.#receive(payload));
    });
    this.#ended.signal.addEventListener('abort', stop);
    this.#connection.addEventListener('icecandidate', ({ candidate }) => this.#gathered(candidate));
    this.#connection.addEventListener('connectionstatechange', () => this.#changed());
  }

  /** @returns {'good' | 'silent' | 'closed'} silent: perhaps lost, perhaps it comes back */
  get health() {
    if (this.#ended.signal.aborted) return 'closed';
    const { connectionState } = this.#connection;
    if (connectionState === 'failed' || connectionState === 'closed' || this.#saidGoodbye) return 'closed';
    if (connectionState === 'disconnected' || performance.now() - this.#activeAt > silentMs) return 'silent';
    return 'good';
  }

  /** Whether the publisher has closed the connection, which the browser counts as a mere silence. */
  get #saidGoodbye() {
    const { sctp } = this.#connection;
    return sctp !== null && (sctp.state === 'closed' || sctp.transport.state === 'closed');
  }

  /** Names the handshake of this session and no other, the same at both ends. */
  get transcript() {
    return this.#negotiation.transcript;
  }

  /** The streams of the cameras by id. @returns {Map<string, MediaStream>} */
  get streams() {
    /** @type {Map<string, MediaStream>} */
    const streams = new Map();
    for (const { camera, stream, wanted } of this.#lanes) if (wanted) streams.set(camera, stream);
    return streams;
  }

  /** @returns {AbortSignal} aborts when the session is closed */
  get ended() {
    return this.#ended.signal;
  }

  /**
   * @param {() => void} watcher called when the health or the streams may have changed
   * @returns {() => void} ends it
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /**
   * Gives the agent's first camera its name.
   *
   * @param {string} id
   */
  nameFirst(id) {
    const lane = this.#lanes.find(({ camera }) => camera === '');
    if (lane) lane.camera = id;
  }

  /**
   * Watches exactly these cameras from now on.
   *
   * @param {{ id: string, sound: boolean }[]} cameras
   * @returns {Promise<void>}
   */
  setCameras(cameras) {
    const next = this.#renegotiation.catch(() => {}).then(() => this.#renegotiate(cameras));
    this.#renegotiation = next;
    return next;
  }

  /**
   * Takes statistics; to be called about once a second, since health is read
   * from them too.
   *
   * @returns {Promise<{ connection: import('./stats.js').ConnectionStats,
   *   cameras: Map<string, { video: import('./stats.js').MediaStats | null, audio: import('./stats.js').MediaStats | null }> }>}
   */
  async sample() {
    const report = await this.#connection.getStats();
    const now = performance.now();
    const sample = summarize(report.values(), now, this.#sample);
    if (sample.connection.activity !== this.#sample?.connection.activity) this.#activeAt = now;
    this.#sample = sample;
    const cameras = new Map();
    for (const { camera, video, audio, wanted } of this.#lanes) {
      if (!wanted) continue;
      cameras.set(camera, {
        video: sample.media.get(video.mid ?? '') ?? null,
        audio: sample.media.get(audio?.mid ?? '') ?? null,
      });
    }
    this.#notify();
    return { connection: sample.connection, cameras };
  }

  /**
   * Ends the session. Idempotent.
   *
   * @param {string} [reason] told to the publisher if the signaling service is there
   */
  close(reason = 'The viewer has left.') {
    if (this.#ended.signal.aborted) return;
    if (this.#negotiation.answered) this.#say(() => this.#negotiation.bye(reason));
    this.#ended.abort();
    this.http.close();
    this.#connection.close();
    this.#notify();
  }

  #openChannel() {
    return this.#connection.createDataChannel('http', { ordered: true, protocol: windowProtocol });
  }

  async #negotiate() {
    const connection = this.#connection;
    performance.mark('sightline:session');
    const keys = this.#signaling.lookup(this.#peer, this.#deadline(answerMs));
    keys.catch(() => {}); // Whoever waits for it below is told.
    await connection.setLocalDescription();
    await this.#signaling.ready(this.#deadline(answerMs));
    // The key of a moment ago is most likely the key: the offer does not wait
    // for the one that is asked for.
    const known = this.#signaling.knownKeys(this.#peer);
    await this.#sealTo(known ?? (await keys));
    // The offer does not wait for candidates: the agent's are in its answer, and
    // it learns this browser's address from the first check. What comes later is
    // sent after the answer, for agents that have to reach out first.
    const sdp = connection.localDescription?.sdp ?? '';
    this.#late = [];
    performance.mark('sightline:offer');
    const media = this.#lanes.flatMap(({ lines }) => lines);
    const offer = await this.#negotiation.offer(sdp, media, await this.#standing);
    const answer = await this.#answerTo(offer, known === undefined ? null : keys);
    performance.mark('sightline:answer');
    if (answer.type === 'reject') throw new SessionError(answer.code, answer.reason, answer.clockOffsetMs);
    if (answer.type !== 'answer') throw new SessionError('bad-answer', 'The agent answered something else.');
    for (const candidate of this.#late.splice(0)) this.#trickle(candidate);
    await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
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
   * @returns {Promise<import('./messages.js').Incoming>}
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
   * @param {(error: SignalingError) => void} onError
   */
  async #offerAgain(statement, onError) {
    if (this.#negotiation.answered || !(await this.#sealTo(statement))) return;
    this.#signaling.send(this.#peer, await this.#negotiation.offerAgain(), onError);
  }

  async #connected() {
    const connection = this.#connection;
    const decided = () => ['connected', 'failed', 'closed'].includes(connection.connectionState);
    if (!decided()) await until(connection, 'connectionstatechange', decided, connectMs);
    if (connection.connectionState !== 'connected') {
      throw new SessionError('no-route', 'The agent answered, but no network path between it and this browser works.');
    }
    performance.mark('sightline:connected');
    connection.sctp?.addEventListener('statechange', () => this.#changed());
    connection.sctp?.transport.addEventListener('statechange', () => this.#changed());
    this.#activeAt = performance.now();
  }

  /** @param {string} payload */
  async #receive(payload) {
    if (this.#ended.signal.aborted) return;
    try {
      const message = await this.#negotiation.read(payload);
      if (message.type === 'candidate') await this.#add(message);
      else if (message.type === 'bye') this.close();
      else this.#onFirst(message);
    } catch (error) {
      // Made by somebody else, or meant for another session: not ours to act on.
      console.debug('sightline: a message is ignored', error);
    }
  }

  /** @param {import('./messages.js').Candidate} message */
  async #add({ candidate, mid }) {
    await this.#connection.addIceCandidate(candidate === '' ? undefined : { candidate, sdpMid: mid || '0' });
  }

  /** @param {RTCIceCandidate | null} candidate */
  #gathered(candidate) {
    if (candidate === null || candidate.candidate === '') return;
    if (this.#negotiation.answered) this.#trickle(candidate);
    else this.#late.push(candidate);
  }

  /** @param {RTCIceCandidate} candidate */
  #trickle({ candidate, sdpMid }) {
    this.#say(() => this.#negotiation.candidate(candidate, sdpMid ?? ''));
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

  /** @param {{ id: string, sound: boolean }[]} cameras */
  async #renegotiate(cameras) {
    const wanted = new Set(cameras.map(({ id }) => id));
    const known = new Set(this.#lanes.map(({ camera }) => camera));
    const changed = this.#lanes.filter((lane) => lane.wanted !== wanted.has(lane.camera));
    const added = cameras.filter(({ id }) => !known.has(id));
    if ((changed.length === 0 && added.length === 0) || this.#ended.signal.aborted) return;
    if (this.#lanes.length + added.length > maxCameras) {
      throw new SessionError('full', `A session carries ${maxCameras} cameras.`);
    }
    for (const lane of changed) lane.wanted = !lane.wanted;
    for (const { id, sound } of added) this.#lanes.push(new Lane(this.#connection, id, sound));
    try {
      await this.#connection.setLocalDescription();
      const answer = await this.#postOffer();
      await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
    } catch (error) {
      for (const lane of changed) lane.wanted = !lane.wanted;
      for (const lane of this.#lanes.splice(this.#lanes.length - added.length)) lane.stop();
      if (this.#connection.signalingState === 'have-local-offer') {
        // The connection may be gone with the failure; that is said below.
        await this.#connection.setLocalDescription({ type: 'rollback' }).catch(() => {});
      }
      throw error;
    } finally {
      this.#notify();
    }
  }

  /** @returns {Promise<string>} the agent's answer */
  async #postOffer() {
    const body = JSON.stringify({
      sdp: this.#connection.localDescription?.sdp,
      media: this.#lanes.flatMap(({ lines }) => lines),
    });
    const headers = { 'Content-Type': 'application/json' };
    const signal = this.#deadline(answerMs);
    const response = await this.http.request('/v1/session/offer', { method: 'POST', headers, body, signal });
    const answer = await response.json();
    if (!response.ok || typeof answer.sdp !== 'string') {
      throw new SessionError(
        answer?.error?.code ?? 'bad-answer',
        answer?.error?.message ?? 'The agent refuses to show another camera.',
      );
    }
    return answer.sdp;
  }

  #changed() {
    if (this.health === 'closed') this.close();
    this.#notify();
  }

  #notify() {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** @param {number} ms @returns {AbortSignal} */
  #deadline(ms) {
    return AbortSignal.any([this.#ended.signal, AbortSignal.timeout(ms)]);
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
async function takingTurns(signal, action) {
  if (!globalThis.navigator?.locks) return action();
  return navigator.locks.request('sightline-signaling', { signal }, action);
}

/**
 * Waits for an event after which condition holds, at most ms milliseconds.
 *
 * @param {EventTarget} target
 * @param {string} event
 * @param {() => boolean} condition
 * @param {number} ms
 * @returns {Promise<void>}
 */
function until(target, event, condition, ms) {
  return new Promise((resolve) => {
    const check = () => {
      if (condition()) end();
    };
    const end = () => {
      clearTimeout(timer);
      target.removeEventListener(event, check);
      resolve();
    };
    const timer = setTimeout(end, ms);
    target.addEventListener(event, check);
  });
}
