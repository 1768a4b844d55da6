/**
 * What an owner's browser does with access lists: it makes a home's first one,
 * and every next one out of all that it and the publisher on the line know.
 */
import { signList } from './access-list.js';
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

/** A list is signed again so many times if another owner was quicker. */
const maxTries = 3;

/** This browser cannot sign; the message is a sentence for a person. */
export class OwnerError extends Error {
  name = 'OwnerError';
}

/**
 * Makes the first list of a publisher that was just paired: it joins a home, or
 * begins one.
 *
 * @param {Desk} desk
 * @param {Link} link
 * @param {{ name: string, device: string }} me
 * @param {'join' | 'new'} choice join: if this browser owns exactly one home
 * @returns {Promise<AccessState>}
 */
export async function signFirst(desk, link, me, choice) {
  const { identity, homes } = desk;
  const now = Math.floor(desk.now() / 1000);
  const owned = choice === 'join' ? await homes.owned() : [];
  const home = owned.length === 1 ? await homes.open(owned[0]) : null;
  const owners = [{ id: identity.peerId, name: cleanName(me.name), device: cleanName(me.device) }];
  const content = home?.next(now) ?? { home: randomToken(16), version: 1, previous: '', time: now, owners, publishers: [], revoked: [] };
  mustOwn(content, identity.peerId);
  const known = content.publishers.findIndex(({ id }) => id === link.peer);
  const publisher = { id: link.peer, name: await nameOf(link), kind: /** @type {const} */ ('agent'), signal: desk.signal };
  content.publishers.splice(known < 0 ? content.publishers.length : known, known < 0 ? 0 : 1, publisher);
  content.revoked = content.revoked.filter(({ id }) => id !== link.peer);
  return put(desk, link, content);
}

/**
 * Signs the next list and gives it to the publisher on the line. Everything
 * that this browser and that publisher know goes into it, owners who were
 * invited and are not listed yet included.
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
    const home = await learn(desk, state);
    if (!home) throw new OwnerError('This agent has no access list yet. Reload the page and try again.');
    const content = home.next(Math.floor(desk.now() / 1000));
    mustOwn(content, desk.identity.peerId);
    for (const owner of await welcome(link.peer, content, state.pending)) content.owners.push(owner);
    edit(content, state);
    try {
      return await put(desk, link, content);
    } catch (error) {
      // Somebody else's list came in between: join that one too.
      if (!(error instanceof ApiError) || error.status !== 409 || left === 1) throw error;
    }
  }
}

/**
 * Takes in what a publisher has.
 *
 * @param {Pick<Desk, 'homes'>} desk
 * @param {AccessState} state
 * @returns {Promise<import('./home.js').Home | null>} null without a list
 */
export async function learn({ homes }, { list, others, carried }) {
  if (!list) return null;
  for (const each of [list, ...others]) await homes.learn(each, carried);
  return homes.open(list.list.home);
}

/** @param {Desk} desk @param {Link} link @param {Content} content */
async function put({ identity, homes }, link, content) {
  const signed = await signList(identity, content);
  const state = await readAccess(link.http, { method: 'PUT', body: { list: signed.compact }, signal: link.ended });
  await homes.signed(signed);
  if (state.list?.hash === signed.hash) await homes.reached(signed, link.peer);
  return state;
}

/**
 * Owners whom the publisher let in by an invite that an owner has signed. A
 * publisher's word alone makes no owner of the whole home.
 *
 * @param {string} publisher
 * @param {Content} content
 * @param {import('./access-state.js').PendingOwner[]} pending
 */
async function welcome(publisher, content, pending) {
  const owners = new Set(content.owners.map(({ id }) => id));
  const used = new Set(content.revoked.map(({ id }) => id));
  const good = [];
  for (const { id, name, device, invite } of pending) {
    if (owners.has(id) || used.has(id)) continue;
    try {
      const { iss, aud, jti, redeemer, owner } = await parseInvite(invite);
      const fits = owner && owners.has(iss) && redeemer === publisher && (aud === content.home || aud === publisher);
      if (!fits || used.has(jti)) continue;
      used.add(jti); // One invite makes one owner.
      good.push({ id, name, device });
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
