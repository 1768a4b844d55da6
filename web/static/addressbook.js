/**
 * How publishers were reached before: the STUN and TURN servers that helped, and
 * tickets for a direct dial, by which a publisher at a known address is reached
 * with no signaling service at all. In IndexedDB, shared by all tabs.
 */
import { fromBase64Url } from './encoding.js';
import { unexpired } from './ice.js';
import { listOf, text, token, whole } from './shape.js';
import { Vault } from './vault.js';

/**
 * @typedef {object} Ticket what a publisher has agreed with this browser
 * @property {CryptoKey} key for HMAC with SHA-256; it cannot be exported
 * @property {number} expiresUnix seconds since 1970
 * @property {string[]} addresses of the publisher's UDP port: "192.0.2.1:40000", "[2001:db8::1]:40000"
 * @property {string} fingerprint of the publisher's DTLS certificate: "sha-256 AB:…"
 *
 * @typedef {object} Entry
 * @property {import('./ice.js').IceServer[]} servers
 * @property {Ticket | null} ticket
 * @property {number} seenMs since 1970
 */

/** How many publishers are remembered; the one not seen for longest is forgotten. */
const most = 64;

/** How many addresses of one are remembered. */
const mostAddresses = 16;

/** What a candidate can have: no name, and no zone, which means nothing on another machine. */
const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\]):\d{1,5}$/;
const fingerprint = /^sha-256 [0-9a-f]{2}(?::[0-9a-f]{2}){31}$/i;

export class AddressBook {
  // Constant after construction.
  #vault;
  #now;

  /** @param {{ vault?: Vault, now?: () => number }} [options] now: milliseconds since 1970 */
  constructor({ vault = new Vault(undefined, 'paths'), now = Date.now } = {}) {
    this.#vault = vault;
    this.#now = now;
  }

  /**
   * @param {string} name a PeerID, or the host of a signaling service
   * @returns {Promise<import('./ice.js').IceServer[] | null>} those that can be used now; null if nothing was ever kept
   */
  async servers(name) {
    const entry = await this.#entry(name);
    return entry ? unexpired(entry.servers, this.#now()) : null;
  }

  /**
   * @param {string} name
   * @param {import('./ice.js').IceServer[]} servers all there are
   * @returns {Promise<void>}
   */
  keepServers(name, servers) {
    return this.#change(name, { servers });
  }

  /** @param {string} peer @returns {Promise<Ticket | null>} null if there is none, or it has ended */
  async ticket(peer) {
    const ticket = (await this.#entry(peer))?.ticket;
    return ticket && ticket.expiresUnix > this.#now() / 1000 ? ticket : null;
  }

  /**
   * @param {string} peer
   * @param {any} answer to POST /v1/tickets
   * @returns {Promise<Ticket>}
   * @throws {TypeError} if it is none
   */
  async keepTicket(peer, answer) {
    const { secret, expiresUnix } = answer ?? {};
    if (!token(32)(secret) || !whole(expiresUnix) || !isTicket(answer)) throw new TypeError('the agent gives no ticket');
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', fromBase64Url(secret), algorithm, false, ['sign']);
    const addresses = answer.addresses.filter((/** @type {string} */ each) => address.test(each)).slice(0, mostAddresses);
    const ticket = { key, expiresUnix, addresses, fingerprint: answer.fingerprint };
    await this.#change(peer, { ticket });
    return ticket;
  }

  /** @param {string} name @returns {Promise<Entry | undefined>} */
  #entry(name) {
    return this.#vault.get(name);
  }

  /** @param {string} name @param {Partial<Entry>} changes */
  async #change(name, changes) {
    const seenMs = this.#now();
    await this.#vault.update(name, (/** @type {Entry | undefined} */ entry) => {
      return { ...(entry ?? { servers: [], ticket: null }), ...changes, seenMs };
    });
    const names = await this.#vault.keys('');
    if (names.length <= most) return;
    const entries = await Promise.all(names.map(async (each) => ({ each, seenMs: (await this.#entry(each))?.seenMs ?? 0 })));
    entries.sort((a, b) => a.seenMs - b.seenMs);
    for (const { each } of entries.slice(0, names.length - most)) await this.#vault.update(each, () => undefined);
  }
}

/** @param {any} answer */
function isTicket(answer) {
  return listOf(0, 64, text(64))(answer.addresses) && text(128)(answer.fingerprint) && fingerprint.test(answer.fingerprint);
}
