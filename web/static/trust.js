/**
 * Who may do what, as this browser sees and decides it: it proves pairing and
 * invite secrets, keeps what it was granted, signs invites and access lists
 * where it is an owner, and carries the newest list to every publisher of the
 * home. One Trust serves the whole page; what it shows and does is about the
 * publisher on the screen.
 */
import { readLog } from './access-log.js';
import { signalAddress } from './access-list.js';
import { readAccess } from './access-state.js';
import { viewOf } from './access-view.js';
import { writeClaim } from './address.js';
import { call, callJson } from './api.js';
import { proveClaim } from './claim.js';
import { Homes } from './home.js';
import { homeToJoin, signFirst, signNext } from './owner.js';
import { Passes } from './passes.js';
import { isPeerId, shortPeerId } from './peerid.js';
import { learnPlaces, placeOf } from './places.js';
import { Replication } from './replication.js';
import { openForRequests } from './requests.js';
import { Session } from './session.js';
import { cleanName } from './shape.js';
import { createInvite } from './sharing.js';
import { Store } from './store.js';
import { explained, TrustError } from './trust-error.js';
import { Vault } from './vault.js';

export { TrustError } from './trust-error.js';

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
 * @property {{ id: string, name: string }[]} [places] other publishers where the access is good
 * @property {{ believable: boolean, unixMs: number }} clock the publisher's
 *
 * @typedef {import('./access-view.js').Owner} Owner
 * @typedef {import('./access-view.js').Guest} Guest
 * @typedef {import('./access-view.js').OpenInvite} OpenInvite
 * @typedef {import('./access-view.js').Reach} Reach
 * @typedef {import('./access-view.js').AccessView} AccessView
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
 *   owns, if it owns exactly one, or begins one of its own; by default it joins only if nobody else owns that home
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

/** A claim's session is given up after so long, in milliseconds. */
const claimMs = 45_000;

/** @typedef {import('./owner.js').Link} Link */

export class Trust {
  // Constant after construction.
  #identity;
  #signaling;
  #vault;
  #connect;
  #now;
  #page;
  #homes;
  #passes;
  #replication;

  /** About the publisher on the screen. @type {Store<TrustState>} */
  state = new Store(/** @type {TrustState} */ ({ me: null, access: null, logWarning: '' }));

  /** The publisher on the screen. @type {Link | null} */ #link = null;
  /** What it says is kept while it is connected again. */ #about = '';
  /** What it said last about access. @type {import('./access-state.js').AccessState | null} */ #access = null;
  /** One change after the other. @type {Promise<unknown>} */ #turn = Promise.resolve();
  #closed = new AbortController();

  /**
   * @param {object} options
   * @param {import('./identity.js').Identity} options.identity
   * @param {import('./signaling.js').Signaling} options.signaling
   * @param {Vault} [options.vault]
   * @param {typeof Session.connect} [options.connect] makes a session
   * @param {() => number} [options.now] milliseconds since 1970
   * @param {string} [options.page] the address that links lead to, without a fragment
   */
  constructor({ identity, signaling, vault = new Vault(), connect = Session.connect, now = Date.now, page }) {
    this.#identity = identity;
    this.#signaling = signaling;
    this.#vault = vault;
    this.#connect = connect;
    this.#now = now;
    this.#page = page ?? globalThis.location?.href.replace(/#.*$/, '') ?? '';
    this.#homes = new Homes(vault, identity.peerId);
    this.#passes = new Passes(vault, identity.peerId, now);
    this.#replication = new Replication({
      homes: this.#homes,
      connect: (peer, signal) => this.#open(peer, {}, signal),
      connected: (peer) => (this.#link?.peer === peer && !this.#link.ended.aborted ? this.#link.http : null),
    });
  }

  /** Ends what goes on in the background. */
  close() {
    this.#closed.abort();
  }

  get me() {
    return this.state.value.me;
  }

  /**
   * What to show a publisher in an offer. Publisher calls it.
   *
   * @param {string} peer
   * @returns {Promise<string[]>}
   */
  async grantsFor(peer) {
    return this.#passes.forOffer(peer, await this.#homeOf(peer));
  }

  /**
   * Goes on with a session that was just made. Publisher calls it.
   *
   * @param {Link} link
   * @returns {Promise<Me | null>} null if the publisher does not say
   */
  async attach(link) {
    this.#link = link;
    if (this.#about !== link.peer) {
      this.#about = link.peer;
      this.#access = null;
      this.state.set({ me: null, access: null, logWarning: '' });
    }
    try {
      /** @type {Me} */
      const me = await callJson(link.http, '/v1/me', { signal: link.ended });
      if (this.#link !== link) return me;
      this.state.set({ me });
      if (me.role === 'owner') void this.#inTurn(() => this.#catchUp(link, me));
      await learnPlaces(this.#vault, this.#passes, link.peer, me);
      return me;
    } catch (error) {
      if (!link.ended.aborted) console.warn('sightline: the agent does not say what this browser may do', error);
      return null;
    }
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
  claim({ peer, claim, name, device, home }, { signal, onPhase = () => {} } = {}) {
    return explained(async () => {
      // What is about to be given shall not go when the browser needs room.
      void globalThis.navigator?.storage?.persist?.().catch(() => {});
      const limit = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(claimMs), ...(signal ? [signal] : [])]);
      onPhase('connecting');
      const session = await this.#open(peer, { claim: claim.kind }, limit);
      try {
        onPhase('proving');
        const said = { claim, viewer: this.#identity.peerId, publisher: peer, name: cleanName(name), device: cleanName(device) };
        const { role, grant, home: place } = await proveClaim(session, said, limit);
        if (grant !== '') await this.#passes.add(peer, grant);
        if (place !== '') await this.#vault.update(`places/${peer}`, () => place);
        // From here on this browser signs, or believes, the first list of the publisher.
        if (role === 'owner' && claim.kind === 'pair') await this.#vault.update(`paired/${peer}`, () => home ?? 'default');
        if (role === 'owner' && claim.kind === 'invite') await this.#vault.update(`invited/${peer}`, () => place || undefined);
        return { role };
      } finally {
        session.close('The viewer has shown its secret.');
      }
    });
  }

  /**
   * Who else would own an agent that joins the home of this browser, which is to be asked before it does.
   *
   * @returns {Promise<string[]>} names; none if there is nothing to ask
   */
  async othersAtHome() {
    const found = await homeToJoin(this.#desk);
    return (found?.others ?? []).map(({ id, name }) => name || shortPeerId(id));
  }

  /**
   * Reads who has access; state.access has it too.
   *
   * @returns {Promise<AccessView>}
   * @throws {TrustError}
   */
  listAccess() {
    return this.#alone(async (link) => {
      const state = await readAccess(link.http, { signal: link.ended });
      if (this.me?.role === 'owner') await this.#homes.learn(link.peer, state);
      return this.#show(link, state);
    });
  }

  /**
   * Makes an invite. Whoever opens the link first gets the access.
   *
   * @param {InviteRequest} request
   * @returns {Promise<{ link: string, jti: string, expires: number }>} expires: of the link, Unix seconds
   * @throws {TrustError}
   */
  createInvite(request) {
    return this.#alone(async (link) => {
      const { me } = this;
      if (!me || (me.role !== 'owner' && !me.pass)) throw new TrustError('forbidden', 'Your access does not allow you to invite others.');
      const passes = await this.#passes.for(link.peer, await this.#homeOf(link.peer));
      const home = (await this.#homes.of(link.peer, me.home))?.name ?? '';
      const sharer = { identity: this.#identity, link, me, home, passes, now: Math.floor(this.#now() / 1000) };
      const { jti, secret, expires } = await createInvite(sharer, request);
      return { link: this.#page + writeClaim(link.peer, { kind: 'invite', invite: jti, secret }), jti, expires };
    });
  }

  /** @param {string} jti @returns {Promise<void>} @throws {TrustError} */
  removeInvite(jti) {
    return this.#alone(async (link) => {
      await call(link.http, `/v1/invites/${encodeURIComponent(jti)}`, { method: 'DELETE', signal: link.ended });
    });
  }

  /**
   * Signs the next access list with this grant, guest or owner taken away, gives
   * it to the publisher on the screen, and goes on to the others.
   *
   * @param {string} id a grant's jti, or a PeerID
   * @returns {Promise<void>}
   * @throws {TrustError}
   */
  revoke(id) {
    return this.#change((content, state) => {
      const peer = isPeerId(id);
      content.owners = content.owners.filter((owner) => owner.id !== id);
      if (content.owners.length === 0) throw new TrustError('last_owner', 'A home needs an owner. Make another one first.');
      const grant = state.grants.find(({ jti, root }) => jti === id && content.owners.some((owner) => owner.id === root));
      const entry = { kind: peer ? /** @type {const} */ ('peer') : /** @type {const} */ ('grant'), id, exp: peer ? 0 : (grant?.lapses ?? 0), time: content.time };
      content.revoked = [...content.revoked.filter((each) => each.id !== id), entry];
    });
  }

  /**
   * Signs the next access list without a device of the home, for one that was
   * sold or stolen. What guests were given there ends at all the others too.
   *
   * @param {string} id its PeerID; not that of the publisher on the screen
   * @returns {Promise<void>}
   * @throws {TrustError}
   */
  removeDevice(id) {
    return this.#change((content) => {
      if (id === this.#link?.peer) throw new TrustError('refused', 'This is the device on the screen. Open another one of the home to take this one off the list.');
      content.publishers = content.publishers.filter((publisher) => publisher.id !== id);
      const entry = { kind: /** @type {const} */ ('peer'), id, exp: 0, time: content.time };
      content.revoked = [...content.revoked.filter((each) => each.id !== id), entry];
    });
  }

  /**
   * Signs the next access list without the revocation of a peer, so that it can
   * be invited again. What was revoked by its jti stays so.
   *
   * @param {string} peer
   * @returns {Promise<void>}
   * @throws {TrustError}
   */
  restore(peer) {
    return this.#change((content) => {
      content.revoked = content.revoked.filter(({ kind, id }) => kind !== 'peer' || id !== peer);
    });
  }

  /**
   * Signs a list that joins those of owners who disagree; any other change does so too.
   *
   * @returns {Promise<void>}
   * @throws {TrustError}
   */
  settle() {
    return this.#change(() => {});
  }

  /**
   * Reads the log from where this browser left off, verifies it, and keeps its new head.
   *
   * @param {{ accept?: boolean }} [options] accept: take the log as it is now for the true one, after a warning
   * @returns {Promise<LogView>}
   * @throws {TrustError}
   */
  readLog({ accept = false } = {}) {
    return this.#alone((link) => this.#checkLog(link, accept));
  }

  /**
   * Asks every publisher of the home what list it has, and carries the newest one
   * to it; state.access says meanwhile how far that is. It happens by itself
   * after every change.
   *
   * @returns {Promise<Reach[]>}
   */
  replicate() {
    return this.#round({ all: true });
  }

  /** @param {{ all?: boolean }} [options] all: also those that were seen a moment ago @returns {Promise<Reach[]>} */
  async #round(options) {
    const name = this.#link ? (await this.#homes.of(this.#link.peer, this.me?.home))?.name : undefined;
    if (name === undefined) return [];
    await this.#replication.run(name, this.#closed.signal, () => this.#refresh(), options);
    return this.#replication.status(await this.#homes.open(name));
  }

  /**
   * Has the publisher draw a QR code, so that no server sees the text.
   *
   * @param {string} text at most 1,024 bytes
   * @returns {Promise<string>} an SVG image
   * @throws {TrustError}
   */
  qr(text) {
    return explained(async () => {
      const link = this.#here();
      const answer = await call(link.http, '/v1/qr', { method: 'POST', body: { text }, signal: link.ended });
      return answer.text();
    });
  }

  /** @returns {import('./owner.js').Desk} */
  get #desk() {
    return { identity: this.#identity, homes: this.#homes, signal: signalAddress(this.#signaling.url), now: this.#now };
  }

  /** @returns {Link} @throws {TrustError} */
  #here() {
    if (this.#link && !this.#link.ended.aborted) return this.#link;
    throw new TrustError('no-connection', 'The agent is not connected at the moment. Try again when it is.');
  }

  /**
   * The home of a publisher: a list has it, or the publisher said so when it had
   * proved the secret of an invite. What others say of themselves is not asked.
   *
   * @param {string} peer
   * @returns {Promise<string>}
   */
  async #homeOf(peer) {
    return (await this.#homes.of(peer))?.name ?? placeOf(this.#vault, peer);
  }

  /** @param {string} peer @param {import('./messages.js').Standing} standing @param {AbortSignal} signal */
  #open(peer, standing, signal) {
    return openForRequests(this.#connect, { peer, identity: this.#identity, signaling: this.#signaling, standing, signal });
  }

  /**
   * Brings the publisher on the screen and this owner's browser to the same
   * list, and looks whether its log is the one seen before.
   *
   * @param {Link} link
   * @param {Me} me
   */
  async #catchUp(link, me) {
    try {
      let state = await readAccess(link.http, { signal: link.ended });
      const known = await this.#homes.of(link.peer);
      /** @type {'join' | 'new' | 'default' | undefined} */
      const paired = await this.#vault.get(`paired/${link.peer}`);
      if (state.list || (known && !paired)) {
        state = await this.#replication.deliver(state.list?.list.home ?? known?.name ?? '', link.peer, link.http, link.ended);
      } else if (paired) {
        state = await signFirst(this.#desk, link, me, paired);
        await this.#vault.update(`paired/${link.peer}`, () => undefined);
      }
      await this.#show(link, state);
      await this.#checkLog(link, false);
      this.#carry();
    } catch (error) {
      if (!link.ended.aborted) console.warn('sightline: the access list is not up to date', error);
    }
  }

  /** @param {Parameters<typeof signNext>[2]} edit @returns {Promise<void>} */
  #change(edit) {
    return this.#alone(async (link) => {
      if (this.me?.role !== 'owner') throw new TrustError('forbidden', 'Only an owner can change who has access.');
      await this.#show(link, await signNext(this.#desk, link, edit));
      this.#carry();
    });
  }

  /** @param {Link} link @param {boolean} accept @returns {Promise<LogView>} */
  async #checkLog(link, accept) {
    const key = `heads/${link.peer}`;
    const { entries, head, warning, older } = await readLog(link.http, accept ? undefined : await this.#vault.get(key), link.ended);
    // What does not fit stays a warning until a person says that it is all right.
    if (warning === '') await this.#vault.update(key, () => head);
    if (this.#link === link) this.state.set({ logWarning: warning });
    return { entries: entries.toReversed(), warning, older };
  }

  /**
   * @param {Link} link
   * @param {import('./access-state.js').AccessState} access
   * @returns {Promise<AccessView>}
   */
  async #show(link, access) {
    const known = access.list ? await this.#homes.open(access.list.list.home) : null;
    const home = known?.names(link.peer) ? known : null;
    const view = viewOf(access, home, this.#replication.status(home), this.#identity.peerId);
    if (this.#link !== link) return view;
    this.#access = access;
    const { me } = this;
    if (me && me.home !== view.home) this.state.set({ me: { ...me, home: view.home } });
    this.state.set({ access: view });
    return view;
  }

  async #refresh() {
    if (this.#link && this.#access) await this.#show(this.#link, this.#access);
  }

  /** Goes on to the other publishers, now and until all of them were reached. */
  #carry() {
    void this.#replication.keepOn(() => this.#round(), this.#closed.signal);
  }

  /**
   * Does something with the publisher on the screen, after what was begun before.
   *
   * @template T
   * @param {(link: Link) => Promise<T>} action
   * @returns {Promise<T>}
   */
  #alone(action) {
    return explained(() => this.#inTurn(() => action(this.#here())));
  }

  /**
   * Two tabs that sign at once would make a fork, so all tabs take turns.
   *
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  #inTurn(action) {
    /** @returns {Promise<T>} */
    const turn = async () => (globalThis.navigator?.locks ? navigator.locks.request('sightline-access', action) : action());
    const result = this.#turn.then(turn);
    this.#turn = result.catch(() => {});
    return result;
  }
}
