/**
 * What a publisher says about access (GET /v1/access), read with care: names
 * and lists of it are shown, and go into lists that this browser signs.
 */
import { parseList } from './access-list.js';
import { callJson } from './api.js';
import { isToken } from './encoding.js';
import { isPeerId } from './peerid.js';
import { cleanName } from './shape.js';
import { allRights, parseGrant } from './tokens.js';

/** Lists looked at; a publisher remembers no more. */
const maxLists = 32;

/**
 * @typedef {object} AccessState
 * @property {import('./access-list.js').SignedList | null} list in force at the publisher; null without one
 * @property {import('./access-list.js').SignedList[]} lists all that the publisher remembers, as far as they are good
 * @property {boolean} conflict
 * @property {{ id: string, name: string, device: string }[]} owners in force
 * @property {PendingOwner[]} pending
 * @property {import('./trust.js').Guest[]} grants
 * @property {import('./trust.js').OpenInvite[]} invites
 * @property {string[]} revokedHere
 * @property {import('./access-log.js').LogHead | null} log
 *
 * @typedef {object} PendingOwner
 * @property {string} id
 * @property {string} name
 * @property {string} device
 * @property {string} invite compact, by which it became one; empty if the publisher does not say
 */

/**
 * @param {import('./api.js').Http} http
 * @param {{ method?: string, body?: unknown, signal?: AbortSignal }} [options]
 * @returns {Promise<AccessState>}
 */
export async function readAccess(http, options) {
  const json = await callJson(http, '/v1/access', options);
  // One that is none must not keep owners from the others.
  const lists = await Promise.allSettled(listOf(json?.lists).filter(isText).slice(-maxLists).map(parseList));
  return {
    list: isText(json?.list) && json.list !== '' ? await parseList(json.list) : null,
    lists: lists.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])),
    conflict: json?.conflict === true,
    owners: listOf(json?.owners).map(person).filter(({ id }) => isPeerId(id)),
    pending: listOf(json?.pending).map((each) => ({ ...person(each), invite: words(each?.invite) })).filter(({ id }) => isPeerId(id)),
    grants: await Promise.all(listOf(json?.grants).map(guest)),
    invites: listOf(json?.invites).map(openInvite),
    revokedHere: listOf(json?.revokedHere).map((each) => words(each?.id ?? each)),
    log: isToken(json?.log?.hash, 32) && Number.isSafeInteger(json.log.seq) ? { seq: json.log.seq, hash: json.log.hash } : null,
  };
}

/** @param {any} each */
function person(each) {
  return { id: words(each?.id ?? each?.peer), name: cleanName(words(each?.name)), device: cleanName(words(each?.device)) };
}

/**
 * What counts is the grant itself, where the publisher shows it: what the
 * publisher says of one is only said.
 *
 * @param {any} each
 * @returns {Promise<import('./trust.js').Guest>}
 */
async function guest(each) {
  const said = {
    jti: words(each?.jti),
    peer: words(each?.peer),
    name: cleanName(words(each?.name)),
    device: cleanName(words(each?.device)),
    rights: listOf(each?.rights).filter((right) => allRights.includes(right)),
    cameras: listOf(each?.cameras).filter(isText),
    expires: seconds(each?.expires),
    lapses: 0,
    root: '',
    revoked: each?.revoked === true,
    lastSeen: words(each?.lastSeen),
  };
  const grant = await parseGrant(words(each?.grant)).catch(() => null);
  if (!grant || grant.jti !== said.jti) return said;
  const { sub: peer, name, device, rights, cameras, exp: expires, chain } = grant;
  // Nothing that a publisher makes of an invite lasts longer than the invite lets it.
  const first = chain[chain.length - 1];
  const lapses = first.grant?.exp ?? first.invite?.grantExp ?? 0;
  const root = first.grant?.iss ?? first.invite?.iss ?? '';
  return { ...said, peer, name, device, rights, cameras, expires, lapses, root };
}

/** @param {any} each @returns {import('./trust.js').OpenInvite} */
function openInvite(each) {
  return {
    jti: words(each?.jti),
    name: cleanName(words(each?.name)),
    rights: listOf(each?.rights).filter((right) => allRights.includes(right)),
    cameras: listOf(each?.cameras).filter(isText),
    owner: each?.owner === true,
    expires: seconds(each?.expires),
  };
}

/** @param {any} value Unix seconds or RFC 3339 @returns {number} Unix seconds; 0 if there is none */
function seconds(value) {
  const at = typeof value === 'string' ? Date.parse(value) / 1000 : value;
  return Number.isFinite(at) && at > 0 ? Math.floor(at) : 0;
}

/** @param {any} value @returns {any[]} */
function listOf(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {any} value @returns {value is string} */
function isText(value) {
  return typeof value === 'string';
}

/** @param {any} value @returns {string} */
function words(value) {
  return isText(value) ? value : '';
}
