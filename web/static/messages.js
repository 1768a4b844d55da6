/**
 * The messages of one session between this browser and a publisher: signed by
 * whoever says something, and sealed to whoever it is for.
 *
 * The signaling service is not trusted: a Negotiation accepts only what is
 * sealed to this browser and signed by the publisher's own key, for this
 * session, in rising order, and bound to the offer made here (its hash and
 * nonce) or, later, to the transcript of offer and answer. Freshness rests on the nonces and not on clocks, so a
 * camera whose clock is wrong still works.
 */
import { isToken, randomToken, sha256 } from './encoding.js';
import { isIceServers } from './ice.js';
import { seal, unseal } from './jwe.js';
import { sign, verify } from './jws.js';
import { parseStrict } from './strict-json.js';

/**
 * @typedef {object} MediaLine what a media section of an offer is to carry
 * @property {string} mid
 * @property {string} camera empty for the agent's first camera
 *
 * @typedef {object} Standing what an offer shows beside the descriptions
 * @property {'' | 'pair' | 'invite'} [claim] the secret that the session is for
 * @property {string[]} [grants] what gives this browser its rights, see Grants of the wire protocol for the limits
 *
 * @typedef {'forbidden' | 'busy' | 'bad_request' | 'no_camera' | 'expired' | 'pairing_closed' | 'locked'} RejectCode
 * @typedef {{ type: 'answer', sdp: string, ice: import('./ice.js').IceServer[] }} Answer
 * @typedef {{ type: 'reject', code: RejectCode, reason: string, clockOffsetMs: number }} Reject
 *   clockOffsetMs: how far the publisher's clock is ahead, for the offer after "expired"
 * @typedef {{ type: 'candidate', candidate: string, mid: string }} Candidate
 * @typedef {{ type: 'restarted', sdp: string, ice: import('./ice.js').IceServer[] }} Restarted the answer to the last
 *   restart of ICE
 * @typedef {{ type: 'restart-request', reason: string }} RestartRequest the publisher asks for a restart
 * @typedef {{ type: 'bye', reason: string }} Bye
 * @typedef {Answer | Reject | Candidate | Restarted | RestartRequest | Bye} Incoming
 */

/** A message that is not what this session may receive. */
export class MessageError extends Error {
  name = 'MessageError';
}

/** "exp" is the sender's time plus this, in seconds. */
const lifetimeSeconds = 60;

const common = ['type', 'from', 'to', 'session', 'seq', 'exp'];

/** Longest accepted value of each text field, in characters. @type {Record<string, number>} */
const textLimits = { sdp: 40 * 1024, candidate: 1024, mid: 16, reason: 256, code: 32 };

/** What the fields are that are no text. @type {Record<string, (value: unknown) => boolean>} */
const checks = { ice: isIceServers, restart: (value) => Number.isSafeInteger(value) && Number(value) > 0 };

/** The fields of each message type beside the common ones. @type {Record<string, string[]>} */
const fields = {
  answer: ['nonce', 'peerNonce', 'offerHash', 'sdp', 'ice'],
  reject: ['offerHash', 'code', 'reason'],
  candidate: ['transcript', 'candidate', 'mid'],
  restarted: ['transcript', 'restart', 'sdp', 'ice'],
  'restart-request': ['transcript', 'reason'],
  bye: ['transcript', 'reason'],
};

export class Negotiation {
  // Constant after construction.
  /** @type {import('./identity.js').Identity} */ #identity;
  /** @type {string} */ #peer;
  /** @type {() => number} milliseconds since 1970 */ #now;
  /** @type {string} */ session;
  /** @type {string} */ #nonce;

  /** @type {import('./keys.js').AgreementKey | null} what everything sent is sealed to */ #sealTo = null;
  #sent = 0;
  #received = 0;
  #offer = '';
  #offerHash = '';
  #transcript = '';
  /** The number of the restart that waits for its answer; 0 without one. */
  #restart = 0;

  /**
   * @param {{ identity: import('./identity.js').Identity, peer: string, now?: () => number }} options
   *   now: the time in milliseconds, by the publisher's clock as far as it is known
   */
  constructor({ identity, peer, now = Date.now }) {
    this.#identity = identity;
    this.#peer = peer;
    this.#now = now;
    this.session = randomToken(16);
    this.#nonce = randomToken(16);
  }

  /** Whether the answer has arrived, so that candidates can be exchanged. */
  get answered() {
    return this.#transcript !== '';
  }

  /** The hash of offer and answer, which names this handshake and no other; empty before the answer. */
  get transcript() {
    return this.#transcript;
  }

  /**
   * Says what to seal everything with from now on.
   *
   * @param {import('./keys.js').AgreementKey} key the publisher's
   * @returns {boolean} whether it is another one than before
   */
  sealTo(key) {
    const other = key.text !== this.#sealTo?.text;
    this.#sealTo = key;
    return other;
  }

  /**
   * Makes the session's one offer.
   *
   * @param {string} sdp
   * @param {MediaLine[]} media
   * @param {Standing} [standing]
   * @returns {Promise<string>} sealed
   */
  async offer(sdp, media, { claim = '', grants = [] } = {}) {
    if (this.#offer !== '') throw new MessageError('a session has one offer');
    const key = this.#identity.agreementKey;
    this.#offer = await this.#sign({ type: 'offer', nonce: this.#nonce, key, claim, grants, sdp, media });
    this.#offerHash = await sha256(this.#offer);
    return this.#seal(this.#offer);
  }

  /** @returns {Promise<string>} the same offer, sealed to the key that sealTo has named since */
  offerAgain() {
    if (this.#offer === '') throw new MessageError('there is no offer yet');
    return this.#seal(this.#offer);
  }

  /**
   * @param {string} candidate empty for the end of candidates
   * @param {string} mid
   * @returns {Promise<string>}
   */
  candidate(candidate, mid) {
    return this.#signLater({ type: 'candidate', candidate, mid });
  }

  /**
   * Offers new ICE parameters. The answer to an earlier restart is not accepted
   * any more.
   *
   * @param {string} sdp
   * @returns {Promise<string>}
   */
  restart(sdp) {
    const message = this.#signLater({ type: 'restart', sdp });
    if (this.answered) this.#restart = this.#sent; // a message has its number before it is signed
    return message;
  }

  /** @param {string} reason @returns {Promise<string>} */
  bye(reason) {
    return this.#signLater({ type: 'bye', reason });
  }

  /**
   * Checks a message of the publisher and returns what it says.
   *
   * @param {string} sealed
   * @returns {Promise<Incoming>}
   * @throws {MessageError | import('./jws.js').JwsError | import('./jwe.js').JweError}
   */
  async read(sealed) {
    const compact = await unseal(this.#identity, sealed);
    const { payload, from } = await verify(compact);
    const message = parse(payload);
    if (from !== this.#peer || message.from !== from) {
      throw new MessageError('the message is signed by someone else');
    }
    if (message.to !== this.#identity.peerId || message.session !== this.session) {
      throw new MessageError('the message belongs to another session');
    }
    if (!Number.isSafeInteger(message.seq) || !Number.isSafeInteger(message.exp)) {
      throw new MessageError('the message has no number');
    }
    if (message.seq <= this.#received) throw new MessageError('the message is repeated or late');
    const incoming = await this.#bound(message, compact);
    this.#received = message.seq;
    return incoming;
  }

  /**
   * Holds a message against what was exchanged before.
   *
   * @param {Record<string, any>} message
   * @param {string} compact
   * @returns {Promise<Incoming>}
   */
  async #bound(message, compact) {
    const { type, sdp, ice, code, reason, candidate, mid } = message;
    switch (type) {
      case 'answer':
        this.#unanswered(message);
        if (message.peerNonce !== this.#nonce || !isToken(message.nonce, 16)) {
          throw new MessageError('the answer does not carry this session’s nonce');
        }
        this.#transcript = await sha256(`${this.#offer}.${compact}`);
        return { type, sdp, ice };
      case 'reject':
        this.#unanswered(message);
        return { type, code, reason, clockOffsetMs: (message.exp - lifetimeSeconds) * 1000 - this.#now() };
      case 'candidate':
        this.#continued(message);
        return { type, candidate, mid };
      case 'restarted':
        this.#continued(message);
        if (message.restart !== this.#restart) throw new MessageError('the message answers another restart');
        this.#restart = 0;
        return { type, sdp, ice };
      case 'restart-request':
        this.#continued(message);
        return { type, reason };
      default:
        this.#continued(message);
        return { type: 'bye', reason };
    }
  }

  /** @param {Record<string, any>} message */
  #unanswered(message) {
    if (this.answered) throw new MessageError('the session is already answered');
    if (this.#offerHash === '' || message.offerHash !== this.#offerHash) {
      throw new MessageError('the message answers another offer');
    }
  }

  /** @param {Record<string, any>} message */
  #continued(message) {
    if (!this.answered || message.transcript !== this.#transcript) {
      throw new MessageError('the message does not continue this session');
    }
  }

  /** @param {Record<string, unknown>} body @returns {Promise<string>} */
  async #signLater(body) {
    if (!this.answered) throw new MessageError('the session is not answered yet');
    return this.#seal(await this.#sign({ ...body, transcript: this.#transcript }));
  }

  /** @param {string} compact @returns {Promise<string>} */
  async #seal(compact) {
    if (!this.#sealTo) throw new MessageError('the publisher’s key is not known yet');
    return seal(this.#sealTo.key, compact);
  }

  /** @param {Record<string, unknown>} body @returns {Promise<string>} */
  #sign(body) {
    this.#sent += 1;
    return sign(
      this.#identity,
      JSON.stringify({
        ...body,
        from: this.#identity.peerId,
        to: this.#peer,
        session: this.session,
        seq: this.#sent,
        exp: Math.floor(this.#now() / 1000) + lifetimeSeconds,
      }),
    );
  }
}

/**
 * Parses a payload and checks its form: a known type, no unknown field, every
 * field present and within its limit.
 *
 * @param {string} payload
 * @returns {Record<string, any>}
 */
function parse(payload) {
  let message;
  try {
    message = parseStrict(payload);
  } catch (error) {
    throw new MessageError('the message is not JSON', { cause: error });
  }
  const known = Object.hasOwn(fields, message?.type) ? fields[message.type] : undefined;
  if (known === undefined) throw new MessageError('the message has no known type');
  for (const field of Object.keys(message)) {
    if (!common.includes(field) && !known.includes(field)) {
      throw new MessageError(`the message has an unknown field ${JSON.stringify(field)}`);
    }
  }
  for (const field of ['from', 'to', 'session', ...known]) {
    const value = message[field];
    if (Object.hasOwn(checks, field) ? checks[field](value) : isText(field, value)) continue;
    throw new MessageError(`the message has no good ${field}`);
  }
  return message;
}

/** @param {string} field @param {unknown} value */
function isText(field, value) {
  return typeof value === 'string' && value.length <= (textLimits[field] ?? 64);
}
