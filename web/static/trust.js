/**
 * Who may do what, as this browser sees and decides it: it proves pairing and
 * invite secrets, keeps what it was granted, signs invites and access lists
 * where it is an owner, and carries the newest list to every publisher of the
 * home. One Trust serves the whole page; what it shows and does is about the
 * publisher on the screen.
 */
import { Store } from './store.js';

/**
 * @typedef {'live' | 'playback' | 'talk' | 'ptz' | 'events' | 'admin'} Right
 *
 * @typedef {object} Me what the publisher says about this browser (GET /v1/me)
 * @property {string} peer
 * @property {'owner' | 'guest' | 'listed' | 'console' | 'open'} role open: everybody may watch here
 * @property {string} name
 * @property {string} device
 * @property {string} expires RFC 3339; empty if the access does not end by itself
 * @property {string} home empty if the publisher belongs to none
 * @property {Record<string, Right[]>} rights by camera id
 * @property {boolean} admin whether it may see the access list and the log
 * @property {boolean} pass whether it may invite others
 * @property {{ believable: boolean, unixMs: number }} clock the publisher's
 *
 * @typedef {object} Owner
 * @property {string} id PeerID
 * @property {string} name
 * @property {string} device
 * @property {boolean} you
 * @property {boolean} pending invited as an owner, and not yet in an access list
 *
 * @typedef {object} Guest
 * @property {string} jti of the grant; revoke(jti) takes this one away
 * @property {string} peer PeerID; revoke(peer) takes everything away
 * @property {string} name
 * @property {string} device
 * @property {Right[]} rights
 * @property {string[]} cameras "*", "<PeerID>/*" or "<PeerID>/<camera id>"
 * @property {number} expires Unix seconds; 0: until it is revoked
 * @property {boolean} revoked
 * @property {string} lastSeen RFC 3339, or empty
 *
 * @typedef {object} OpenInvite an invite that nobody has used yet
 * @property {string} jti for removeInvite
 * @property {string} name
 * @property {Right[]} rights
 * @property {string[]} cameras
 * @property {boolean} owner
 * @property {number} expires Unix seconds
 *
 * @typedef {object} Reach one publisher of the home, and whether it has the newest list
 * @property {string} id PeerID
 * @property {string} name
 * @property {'agent' | 'recorder'} kind
 * @property {'has it' | 'not reached yet' | 'asking' | 'refused'} state
 * @property {string} problem why not, as a sentence; empty if there is none
 *
 * @typedef {object} AccessView
 * @property {string} home empty as long as there is no access list
 * @property {number} version of the access list; 0 if there is none
 * @property {boolean} conflict two owners have signed different lists; the next change by an owner who has
 *   seen both settles it
 * @property {Owner[]} owners in order of seniority
 * @property {Guest[]} guests
 * @property {OpenInvite[]} invites
 * @property {Reach[]} publishers
 * @property {string[]} revokedHere grants and peers that were revoked on the device itself, there only
 *
 * @typedef {object} TrustState
 * @property {Me | null} me null until the publisher has said it
 * @property {AccessView | null} access null for whoever may not see it, and until it is read
 * @property {string} logWarning a sentence if the publisher's log is not the one seen before; empty if all is well
 *
 * @typedef {object} LogEntry
 * @property {number} seq
 * @property {string} time RFC 3339
 * @property {string} kind started, paired, reset, invited, redeemed, revoked, list, came, left, refused, whep-token, clock, lost
 * @property {string} peer
 * @property {string} name
 * @property {string} what
 * @property {string} from
 *
 * @typedef {object} LogView
 * @property {LogEntry[]} entries newest first
 * @property {string} warning as TrustState.logWarning
 * @property {boolean} older whether the publisher has entries before these
 *
 * @typedef {object} ClaimRequest
 * @property {string} peer
 * @property {import('./address.js').Claim} claim out of the link
 * @property {string} name of the person, as others will see it
 * @property {string} device
 * @property {'join' | 'new'} [home] pairing: whether the publisher joins the home that this browser already
 *   owns, if it owns exactly one (the default), or begins one of its own
 *
 * @typedef {'connecting' | 'proving'} ClaimPhase
 *
 * @typedef {object} InviteRequest
 * @property {string} name whom it is for
 * @property {Right[]} rights
 * @property {string[]} cameras camera ids of the publisher on the screen, or "*" for every camera of the home
 * @property {number} expiresSeconds the access ends so long after now; 0: when it is revoked
 * @property {boolean} pass whether the guest may invite others to the same or less
 * @property {boolean} [owner] makes an owner; rights, cameras, expiry and pass are without effect then
 * @property {number} [inviteSeconds] the link works so long, default a day, at most seven
 */

/** Something about access did not work; the message is a sentence for a person. */
export class TrustError extends Error {
  name = 'TrustError';

  /**
   * @param {string} code of the publisher (wrong_proof, locked, used, expired, forbidden …) or of a session
   * @param {string} message
   * @param {number} [retryAfterSeconds] with "locked"
   */
  constructor(code, message, retryAfterSeconds = 0) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export class Trust {
  /** About the publisher on the screen. @type {Store<TrustState>} */
  state = new Store(/** @type {TrustState} */ ({ me: null, access: null, logWarning: '' }));

  /**
   * @param {object} options
   * @param {import('./identity.js').Identity} options.identity
   * @param {import('./signaling.js').Signaling} options.signaling
   */
  constructor({ identity, signaling }) {
    void identity;
    void signaling;
  }

  /** Ends what goes on in the background. */
  close() {}

  /** @returns {Me | null} */
  get me() {
    return this.state.value.me;
  }

  /**
   * Proves the secret of a pairing or an invite over a session of its own, and
   * stores what comes of it. Publisher.claim calls it; pages do not have to.
   *
   * @param {ClaimRequest} request
   * @param {{ signal?: AbortSignal, onPhase?: (phase: ClaimPhase) => void }} [options]
   * @returns {Promise<{ role: 'owner' | 'guest' }>}
   * @throws {TrustError}
   */
  async claim(request, options) {
    void request;
    void options;
    throw new TrustError('internal', 'Not there yet.');
  }

  /**
   * Reads who has access; state.access has it too.
   *
   * @returns {Promise<AccessView>}
   * @throws {TrustError}
   */
  async listAccess() {
    throw new TrustError('internal', 'Not there yet.');
  }

  /**
   * Makes an invite. Whoever opens the link first gets the access.
   *
   * @param {InviteRequest} request
   * @returns {Promise<{ link: string, jti: string, expires: number }>} expires: of the link, Unix seconds
   * @throws {TrustError}
   */
  async createInvite(request) {
    void request;
    throw new TrustError('internal', 'Not there yet.');
  }

  /** @param {string} jti @returns {Promise<void>} @throws {TrustError} */
  async removeInvite(jti) {
    void jti;
  }

  /**
   * Signs the next access list with this grant, guest or owner taken away, gives
   * it to the publisher on the screen, and goes on to the others.
   *
   * @param {string} id a grant's jti, or a PeerID
   * @returns {Promise<void>}
   * @throws {TrustError}
   */
  async revoke(id) {
    void id;
  }

  /**
   * Reads the log from where this browser left off, verifies it, and keeps its new head.
   *
   * @param {{ accept?: boolean }} [options] accept: take the log as it is now for the true one, after a warning
   * @returns {Promise<LogView>}
   * @throws {TrustError}
   */
  async readLog(options) {
    void options;
    throw new TrustError('internal', 'Not there yet.');
  }

  /**
   * Carries the newest access list to every publisher of the home; state.access
   * says meanwhile how far that is. It happens by itself after every change.
   *
   * @returns {Promise<Reach[]>}
   */
  async replicate() {
    return [];
  }

  /**
   * Has the publisher draw a QR code, so that no server sees the text.
   *
   * @param {string} text at most 1,024 bytes
   * @returns {Promise<string>} an SVG image
   * @throws {TrustError}
   */
  async qr(text) {
    void text;
    throw new TrustError('internal', 'Not there yet.');
  }
}
