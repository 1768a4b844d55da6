/**
 * One session with a publisher: one peer connection, however many cameras are
 * watched. The first offer goes through the signaling service and names the
 * first cameras; everything later goes over the connection itself, which does
 * not need the signaling service any more.
 */
import { until } from './backoff.js';
import { agreedAnswer, agreedCredentials } from './direct.js';
import { Gathering } from './gathering.js';
import { Handshake, takingTurns } from './handshake.js';
import { HttpClient, windowProtocol } from './http1.js';
import { Lane } from './lane.js';
import { SessionError } from './session-error.js';
import { SignalingError } from './signaling.js';
import { summarize } from './stats.js';

/** How long an offer over the session itself is waited for, in milliseconds. */
const answerMs = 10_000;
const connectMs = 15_000;

/** How long a direct dial waits for the publisher, which is there or is not. */
const dialMs = 6_000;

/** How long the answer to a restart of ICE is waited for. */
const restartMs = 4_000;

/** ICE starts again after this long with servers that only the answer has named. */
const pathMs = 1_500;

/** Nothing arrived for this long: something is wrong. The keep-alives of ICE come every 2.5 s. */
const silentMs = 4_000;

/** Cameras that one session can carry in its life; the protocol's limit on media sections. */
export const maxCameras = 16;

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
 * @property {import('./addressbook.js').AddressBook} [book] what is known of the ways to the publisher
 */

export class Session {
  // Constant after construction.
  #peer;
  #identity;
  #signaling;
  #book;
  #connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
  #gathering = new Gathering(this.#connection, (candidate) => this.#handshake?.candidate(candidate));
  /** @type {Handshake | null} null if the publisher was dialled directly */ #handshake = null;
  /** @type {RTCDataChannel | null} the channel of the first offer, until it is used */ #firstChannel;
  #ended = new AbortController();
  /** @type {Lane[]} */ #lanes = [];
  /** @type {HttpClient} */ http;
  /** Called when the publisher asks for a restart of ICE. @type {() => void} */ onrestartrequest = () => {};

  #renegotiation = Promise.resolve();
  /** @type {Promise<void> | null} the restart of ICE that is under way */ #restarting = null;

  /** @type {import('./stats.js').Sample | null} */ #sample = null;
  #activeAt = performance.now();
  /** How many samples must see something arrive before the path is believed in again. */ #doubts = 0;
  /** @type {Set<() => void>} */ #watchers = new Set();

  /**
   * Makes a session through the signaling service and waits until it is
   * connected.
   *
   * @param {SessionOptions} options
   * @returns {Promise<Session>}
   * @throws {SessionError}
   */
  static connect(options) {
    return Session.#make(options, async (session) => {
      await takingTurns(options.signal, () => session.#negotiate(options));
      await session.#connected(connectMs);
    });
  }

  /**
   * Makes a session without a signaling service, by a ticket of the address
   * book. The agent's first camera it does not have.
   *
   * @param {SessionOptions} options
   * @returns {Promise<Session>}
   * @throws {SessionError} "no-ticket" if the publisher has not given one that is still good
   */
  static dial(options) {
    return Session.#make(options, async (session) => {
      await session.#dial(options);
      await session.#connected(dialMs);
      // The cameras of a session before this one are shown without a gap; others
      // are asked for when their list is known.
      const known = options.cameras.filter((id) => id !== '').map((id) => ({ id, sound: true }));
      await session.setCameras(known).catch((error) => console.debug('sightline: cameras are asked for later', error));
    });
  }

  /**
   * @param {SessionOptions} options
   * @param {(session: Session) => Promise<void>} connect
   * @returns {Promise<Session>}
   */
  static async #make(options, connect) {
    const session = new Session(options);
    const abort = () => session.close();
    options.signal.addEventListener('abort', abort);
    try {
      options.signal.throwIfAborted();
      await connect(session);
      return session;
    } catch (error) {
      session.close();
      if (options.signal.aborted) throw new SessionError('aborted', 'The attempt was given up.');
      if (!(error instanceof SignalingError)) throw error;
      throw new SessionError(error.code === 'offline' ? 'no-signaling' : error.code, error.message);
    } finally {
      options.signal.removeEventListener('abort', abort);
    }
  }

  /** @param {SessionOptions} options */
  constructor({ peer, identity, signaling, book }) {
    this.#peer = peer;
    this.#identity = identity;
    this.#signaling = signaling;
    this.#book = book;
    this.#firstChannel = this.#openChannel();
    this.http = new HttpClient({
      host: peer,
      open: () => {
        const channel = this.#firstChannel ?? this.#openChannel();
        this.#firstChannel = null;
        return channel;
      },
    });
    this.#connection.addEventListener('connectionstatechange', () => this.#changed());
  }

  /** @returns {'good' | 'silent' | 'closed'} silent: perhaps lost, perhaps it comes back */
  get health() {
    if (this.#ended.signal.aborted) return 'closed';
    const { connectionState } = this.#connection;
    if (this.#failed || connectionState === 'closed' || this.#saidGoodbye) return 'closed';
    if (connectionState === 'disconnected' || this.#doubts > 0 || performance.now() - this.#activeAt > silentMs) return 'silent';
    return 'good';
  }

  /** Whether the publisher has closed the connection, which the browser counts as a mere silence. */
  get #saidGoodbye() {
    const { sctp } = this.#connection;
    return sctp !== null && (sctp.state === 'closed' || sctp.transport.state === 'closed');
  }

  /** Names the handshake of this session and no other, the same at both ends; empty without one. */
  get transcript() {
    return this.#handshake?.transcript ?? '';
  }

  /**
   * Whether the publisher answers within so many milliseconds. If it does not,
   * the signaling service is needed: whether that is there is seen meanwhile.
   *
   * @param {number} ms
   * @returns {Promise<boolean>}
   */
  async probe(ms) {
    if (this.#handshake) void this.#signaling.check(this.#peer, ms);
    try {
      const response = await this.http.request('/v1/time', { signal: this.#deadline(ms) });
      await response.text();
      return true;
    } catch {
      return false;
    }
  }

  /** Counts the session as silent until something arrives. */
  doubt() {
    this.#doubts = 2; // what a sample sees may have come before
    this.#notify();
  }

  /** Whether ICE can start again: the publisher of a direct dial is dialled again instead. */
  get restarts() {
    return this.#handshake !== null;
  }

  /** What this browser has found for ICE. */
  get gathering() {
    return this.#gathering;
  }

  /** A number that changes whenever a picture or sound arrives; 0 before the first. */
  get arrivals() {
    const wanted = this.#lanes.filter(({ wanted }) => wanted);
    return Math.max(0, ...wanted.map(({ arrivals }) => arrivals));
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
    if (sample.connection.activity !== this.#sample?.connection.activity) {
      this.#activeAt = now;
      this.#doubts = Math.max(0, this.#doubts - 1);
    }
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
    this.#handshake?.bye(reason);
    this.#ended.abort();
    this.http.close();
    this.#connection.close();
    this.#notify();
  }

  #openChannel() {
    return this.#connection.createDataChannel('http', { ordered: true, protocol: windowProtocol });
  }

  /** @param {SessionOptions} options */
  async #negotiate({ cameras, clockOffsetMs, standing }) {
    performance.mark('sightline:session');
    const signaling = this.#signaling;
    this.#handshake = new Handshake({
      peer: this.#peer,
      identity: this.#identity,
      signaling,
      ended: this.#ended.signal,
      clockOffsetMs,
      standing,
      onMessage: (message) => this.#receive(message),
    });
    const handshake = this.#handshake;
    handshake.find();
    this.#lanes = cameras.map((camera) => new Lane(this.#connection, camera, true));
    const [services, publishers] = await Promise.all([this.#book?.servers(signaling.host), this.#book?.servers(this.#peer)]);
    // A service that is new is about to name its servers.
    if (!services) await handshake.ready();
    this.#gathering.use([...signaling.stun, ...(services ?? []), ...(publishers ?? [])]);
    this.#gathering.begin();
    await this.#connection.setLocalDescription();
    const answer = await handshake.offer(async () => {
      await this.#gathering.first();
      return { sdp: this.#gathering.describe(), media: this.#lanes.flatMap(({ lines }) => lines) };
    });
    void this.#book?.keepServers(signaling.host, signaling.stun);
    const fresh = this.#learn(answer.ice);
    this.#gathering.tellAll();
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    if (fresh) void this.#startAgain();
  }

  /** Restarts ICE if there is no path yet, with servers that only the answer has named. */
  async #startAgain() {
    const settled = () => !['new', 'connecting'].includes(this.#connection.connectionState);
    await until(this.#connection, 'connectionstatechange', settled, pathMs);
    if (settled()) return;
    await this.restart().catch((error) => console.debug('sightline: ICE is not started again', error));
  }

  /** @param {SessionOptions} options */
  async #dial({ clockOffsetMs = 0 }) {
    const ticket = await this.#book?.ticket(this.#peer);
    if (!ticket) throw new SessionError('no-ticket', 'The agent has given this browser no ticket for a direct dial.');
    await this.#connection.setLocalDescription();
    const credentials = await agreedCredentials(ticket, {
      peer: this.#peer,
      identity: this.#identity,
      offer: this.#gathering.describe(),
      nowMs: Date.now() + clockOffsetMs,
    });
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: agreedAnswer(ticket, credentials) });
  }

  /** @param {import('./ice.js').IceServer[]} servers of the publisher @returns {boolean} whether any is new */
  #learn(servers) {
    if (servers.length > 0) void this.#book?.keepServers(this.#peer, servers);
    return this.#gathering.use(servers);
  }

  /** @param {number} ms */
  async #connected(ms) {
    const connection = this.#connection;
    const decided = () => ['connected', 'closed'].includes(connection.connectionState) || this.#failed;
    if (!decided()) await until(connection, 'connectionstatechange', decided, ms);
    if (connection.connectionState !== 'connected') {
      throw new SessionError('no-route', 'The agent answered, but no network path between it and this browser works.');
    }
    performance.mark('sightline:connected');
    for (const each of [connection.sctp, connection.sctp?.transport]) each?.addEventListener('statechange', () => this.#changed());
    this.#activeAt = performance.now();
  }

  /** Whether ICE has given up, and is not about to start again. */
  get #failed() {
    return this.#connection.connectionState === 'failed' && this.#restarting === null;
  }

  /** @param {import('./messages.js').Candidate | import('./messages.js').RestartRequest | import('./messages.js').Bye} message */
  async #receive(message) {
    if (message.type === 'bye') return this.close();
    if (message.type === 'restart-request') return this.onrestartrequest();
    const candidate = message.candidate === '' ? undefined : { candidate: message.candidate, sdpMid: message.mid || '0' };
    await this.#connection.addIceCandidate(candidate);
  }

  /**
   * Looks for a path anew (ICE restart, RFC 8445 §9), by way of the signaling
   * service: an agent has no path until it knows where to answer the new checks,
   * not even for its answer. Of two calls at a time the second waits for the
   * first.
   *
   * @returns {Promise<void>} once the publisher has answered
   * @throws {SessionError | SignalingError}
   */
  restart() {
    this.#restarting ??= this.#restart().finally(() => (this.#restarting = null));
    return this.#restarting;
  }

  async #restart() {
    const handshake = this.#handshake;
    if (!handshake?.answered) throw new SessionError('no-restart', 'This session cannot look for another path.');
    await handshake.ready(restartMs);
    // An offer over the session has come to nothing; that is found out later.
    if (this.#connection.signalingState !== 'stable') throw new SessionError('no-restart', 'Another change is under way.');
    this.#gathering.use(this.#signaling.stun);
    this.#gathering.begin();
    this.#connection.restartIce();
    await this.#connection.setLocalDescription();
    await this.#settle(async () => {
      const restarted = handshake.restart(this.#gathering.describe(), restartMs);
      this.#gathering.tellAll();
      const { sdp, ice } = await restarted;
      this.#learn(ice);
      return sdp;
    });
  }

  /**
   * Takes the answer to the offer that was just made; without one the offer is
   * taken back.
   *
   * @param {() => Promise<string>} ask
   */
  async #settle(ask) {
    const connection = this.#connection;
    try {
      await connection.setRemoteDescription({ type: 'answer', sdp: await ask() });
    } catch (error) {
      if (connection.signalingState === 'have-local-offer') {
        // The connection may be gone with the failure; that is said below.
        await connection.setLocalDescription({ type: 'rollback' }).catch(() => {});
      }
      throw error;
    }
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
      await this.#settle(() => this.#postOffer());
    } catch (error) {
      for (const lane of changed) lane.wanted = !lane.wanted;
      for (const lane of this.#lanes.splice(this.#lanes.length - added.length)) lane.stop();
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
