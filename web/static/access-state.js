/**
 * What a publisher says about access (GET /v1/access), read with care: names
 * and lists of it are shown, and go into lists that this browser signs.
 */
import { parseList } from './access-list.js';
import { callJson } from './api.js';
import { isToken } from './encoding.js';
import { isPeerId } from './peerid.js';
import { cleanName } from './shape.js';
import { allRights } from './tokens.js';

/**
 * @typedef {object} AccessState
 * @property {import('./access-list.js').SignedList | null} list in force at the publisher; null without one
 * @property {import('./access-list.js').SignedList[]} others lists that disagree with it
 * @property {boolean} conflict
 * @property {import('./access-list.js').Revocation[]} carried what lists beside the one in force take away
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
  const lists = await Promise.all(listOf(json?.lists).filter(isText).slice(0, 32).map(parseList));
  return {
    list: isText(json?.list) && json.list !== '' ? await parseList(json.list) : null,
    others: lists,
    conflict: json?.conflict === true,
    carried: listOf(json?.carried).filter(isRevocation),
    owners: listOf(json?.owners).map(person).filter(({ id }) => isPeerId(id)),
    pending: listOf(json?.pending).map((each) => ({ ...person(each), invite: words(each?.invite) })).filter(({ id }) => isPeerId(id)),
    grants: listOf(json?.grants).map(guest),
    invites: listOf(json?.invites).map(openInvite),
    revokedHere: listOf(json?.revokedHere).map((each) => words(each?.id ?? each)),
    log: isToken(json?.log?.hash, 32) && Number.isSafeInteger(json.log.seq) ? { seq: json.log.seq, hash: json.log.hash } : null,
  };
}

/** @param {any} each */
function person(each) {
  return { id: words(each?.id ?? each?.peer), name: cleanName(words(each?.name)), device: cleanName(words(each?.device)) };
}

/** @param {any} each @returns {import('./trust.js').Guest} */
function guest(each) {
  return {
    jti: words(each?.jti),
    peer: words(each?.peer),
    name: cleanName(words(each?.name)),
    device: cleanName(words(each?.device)),
    rights: listOf(each?.rights).filter((right) => allRights.includes(right)),
    cameras: listOf(each?.cameras).filter(isText),
    expires: seconds(each?.expires),
    revoked: each?.revoked === true,
    lastSeen: words(each?.lastSeen),
  };
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

/** @param {any} entry */
function isRevocation(entry) {
  const { kind, id, exp, time } = entry ?? {};
  const good = kind === 'peer' ? isPeerId(id) : kind === 'grant' && isToken(id, 16);
  return good && [exp, time].every((each) => Number.isSafeInteger(each) && each >= 0);
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
