/**
 * What an owner's browser does with access lists: it makes a home's first one,
 * and every next one out of all that it and the publisher on the line know.
 */
import { maxRevoked, signList } from './access-list.js';
import { readAccess } from './access-state.js';
import { ApiError, callJson } from './api.js';
import { randomToken } from './encoding.js';
import { cleanName } from './shape.js';
import { parseInvite, TokenError } from './tokens.js';

/**
 * @typedef {import('./access-state.js').AccessState} AccessState
 * @typedef {Omit<import('./access-list.js').AccessList, 'type'>} Content
 *
 * A session that is there.
 *
 * @typedef {object} Link
 * @property {string} peer the publisher
 * @property {import('./api.js').Http} http
 * @property {AbortSignal} ended
 *
 * @typedef {object} Desk what it takes to sign lists
 * @property {import('./identity.js').Identity} identity
 * @property {import('./home.js').Homes} homes
 * @property {string} signal the address of the signaling service
 * @property {() => number} now milliseconds since 1970
 */

/** An owner who was invited has this long after the invite's end to get into a list, in seconds. */
const welcomeSeconds = 24 * 3600;

/** A list is signed again so many times if another owner was quicker. */
const maxTries = 3;

/** This browser cannot sign; the message is a sentence for a person. */
export class OwnerError extends Error {
  name = 'OwnerError';
}

/**
 * The home that a publisher which is paired now can join, if this browser owns
 * exactly one.
 *
 * @param {Desk} desk
 * @returns {Promise<{ home: import('./home.js').Home, others: { id: string, name: string }[] } | null>} others: its other owners
 */
export async function homeToJoin({ identity, homes }) {
  const owned = await homes.owned();
  if (owned.length !== 1) return null;
  const [home] = owned;
  return { home, others: home.next(0).owners.filter(({ id }) => id !== identity.peerId) };
}

/**
 * Makes the first list of a publisher that this browser was just paired with: it
 * joins a home, or begins one. A home's other owners get everything that joins
 * it, so one that has some is only joined if a person said so.
 *
 * @param {Desk} desk
 * @param {Link} link
 * @param {{ name: string, device: string }} me
 * @param {'join' | 'new' | 'default'} choice default: join if this browser is the home's only owner
 * @returns {Promise<AccessState>}
 */
export async function signFirst(desk, link, me, choice) {
  const { identity } = desk;
  const now = Math.floor(desk.now() / 1000);
  const candidate = choice === 'new' ? null : await homeToJoin(desk);
  const home = candidate && (choice === 'join' || candidate.others.length === 0) ? candidate.home : null;
  const owners = [{ id: identity.peerId, name: cleanName(me.name), device: cleanName(me.device) }];
  const content = home?.next(now) ?? { home: randomToken(16), version: 1, previous: '', time: now, owners, publishers: [], revoked: [] };
  mustOwn(content, identity.peerId);
  const known = content.publishers.findIndex(({ id }) => id === link.peer);
  const publisher = { id: link.peer, name: await nameOf(link), kind: /** @type {const} */ ('agent'), signal: desk.signal };
  content.publishers.splice(known < 0 ? content.publishers.length : known, known < 0 ? 0 : 1, publisher);
  content.revoked = content.revoked.filter(({ id }) => id !== link.peer);
  return put(desk, link, content, []);
}

/**
 * Signs the next list and gives it to the publisher on the line. Everything
 * that owners have signed, as far as this browser and that publisher know, goes
 * into it, and owners who were invited and are not listed yet. What the publisher
 * only says does not.
 *
 * @param {Desk} desk
 * @param {Link} link
 * @param {(content: Content, state: AccessState) => void} edit makes the change
 * @returns {Promise<AccessState>}
 * @throws {OwnerError | ApiError | import('./access-list.js').AccessListError}
 */
export async function signNext(desk, link, edit) {
  for (let left = maxTries; ; left--) {
    const state = await readAccess(link.http, { signal: link.ended });
    const home = await desk.homes.learn(link.peer, state);
    if (!home) throw new OwnerError(state.list ? notOurs : 'This agent has no access list yet. Reload the page and try again.');
    const now = Math.floor(desk.now() / 1000);
    const content = home.next(now);
    mustOwn(content, desk.identity.peerId);
    const welcomed = await welcome(link.peer, content, state.pending, home, now);
    for (const { owner } of welcomed) content.owners.push(owner);
    edit(content, state);
    makeRoom(content, home, state);
    try {
      return await put(desk, link, content, welcomed.map(({ jti }) => jti));
    } catch (error) {
      // Somebody else's list came in between: join that one too.
      if (!(error instanceof ApiError) || error.status !== 409 || left === 1) throw error;
    }
  }
}

const notOurs =
  'This agent is on no list that an owner whom this browser knows has signed, so nothing is signed for it. ' +
  'Pair it with this browser, or ask an owner for an invite.';

/**
 * Leaves out revocations that only people who are no owners any more have asked
 * for, as many as it takes: nobody may fill the list so that they cannot be taken
 * out. Those of grants that nobody has seen here go first.
 *
 * @param {Content} content
 * @param {import('./home.js').Home} home
 * @param {AccessState} state
 */
function makeRoom(content, home, { grants }) {
  const tooMany = content.revoked.length - maxRevoked;
  if (tooMany <= 0) return;
  const owners = new Set(content.owners.map(({ id }) => id));
  const seen = new Set(grants.flatMap(({ jti, peer }) => [jti, peer]));
  const idle = content.revoked.filter((entry) => {
    const by = home.revokedBy(entry);
    return by.length > 0 && !by.some((peer) => owners.has(peer));
  });
  const order = idle.toSorted((a, b) => Number(seen.has(a.id)) - Number(seen.has(b.id)) || b.time - a.time);
  const dropped = new Set(order.slice(0, tooMany));
  content.revoked = content.revoked.filter((entry) => !dropped.has(entry));
}

/** @param {Desk} desk @param {Link} link @param {Content} content @param {string[]} welcomed jtis of invites */
async function put({ identity, homes }, link, content, welcomed) {
  const signed = await signList(identity, content);
  const state = await readAccess(link.http, { method: 'PUT', body: { list: signed.compact }, signal: link.ended });
  await homes.signed(signed, welcomed);
  if (state.list?.hash === signed.hash) await homes.reached(signed, link.peer);
  return state;
}

/**
 * Owners whom the publisher let in by an invite that an owner has signed. A
 * publisher's word alone makes no owner of the whole home, and one invite makes
 * one owner, soon.
 *
 * @param {string} publisher
 * @param {Content} content
 * @param {import('./access-state.js').PendingOwner[]} pending
 * @param {import('./home.js').Home} home
 * @param {number} now Unix seconds
 */
async function welcome(publisher, content, pending, home, now) {
  const owners = new Set(content.owners.map(({ id }) => id));
  const used = new Set([...content.revoked.map(({ id }) => id), ...home.welcomed]);
  const good = [];
  for (const { id, name, device, invite } of pending) {
    if (owners.has(id) || used.has(id)) continue;
    try {
      const { iss, aud, jti, exp, redeemer, owner } = await parseInvite(invite);
      const fits = owner && owners.has(iss) && redeemer === publisher && (aud === content.home || aud === publisher);
      if (!fits || used.has(jti) || exp + welcomeSeconds < now) continue;
      used.add(jti);
      good.push({ jti, owner: { id, name, device } });
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      console.warn('sightline: an owner is not welcomed, for the invite is not good', error);
    }
  }
  return good;
}

/** @param {Content} content @param {string} self */
function mustOwn({ owners }, self) {
  if (!owners.some(({ id }) => id === self)) {
    throw new OwnerError('This browser is no owner of this home any more: another owner has taken it off the list.');
  }
}

/** What the list calls a publisher: its cameras' names are all that people know of it. @param {Link} link */
async function nameOf({ http, ended }) {
  const { cameras } = await callJson(http, '/v1/cameras', { signal: ended });
  const [first, ...more] = Array.isArray(cameras) ? cameras.map(({ id, name }) => String(name || id)) : [];
  if (first === undefined) return '';
  return cleanName(more.length === 0 ? first : `${cleanName(first).slice(0, 48)} and ${more.length} more`);
}
