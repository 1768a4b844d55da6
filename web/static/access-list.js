/**
 * Access lists: who owns a home, which publishers belong to it, and what was
 * taken away. Owners sign them, one version after the other; every publisher of
 * the home keeps the newest.
 */
import { sha256 } from './encoding.js';
import { sign, verify } from './jws.js';
import { listOf, name, object, oneOf, orEmpty, peer, text, token, whole } from './shape.js';
import { parseStrict } from './strict-json.js';

/**
 * @typedef {{ id: string, name: string, device: string }} ListedOwner
 * @typedef {{ id: string, name: string, kind: 'agent' | 'recorder', signal: string }} ListedPublisher
 * @typedef {object} Revocation
 * @property {'grant' | 'peer'} kind
 * @property {string} id a grant's jti or a PeerID
 * @property {number} exp Unix seconds after which it may be forgotten; 0: never
 * @property {number} time Unix seconds
 *
 * @typedef {object} AccessList
 * @property {'access'} type
 * @property {string} home
 * @property {number} version
 * @property {string} previous hash of the list before; empty for the first
 * @property {number} time Unix seconds
 * @property {ListedOwner[]} owners in order of seniority
 * @property {ListedPublisher[]} publishers
 * @property {Revocation[]} revoked
 *
 * @typedef {object} SignedList
 * @property {AccessList} list
 * @property {string} signer PeerID
 * @property {string} compact as it was signed
 * @property {string} hash of what was signed; the next list's previous
 */

/** Where publishers are reached: a host, with a port if need be, in the one spelling that both sides read. */
const address = /^wss?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?\/?$/;

/** @param {any} value */
const signal = (value) => {
  if (value === '') return true;
  if (!text(256)(value)) return false;
  const port = address.exec(value)?.[2];
  return port === undefined ? address.test(value) : Number(port.slice(1)) <= 65_535;
};

/**
 * What a list may say of a signaling service.
 *
 * @param {string} url of its socket
 * @returns {string} scheme, host and port; empty if a list has no way to say it
 */
export function signalAddress(url) {
  const { protocol, host } = URL.canParse(url) ? new URL(url) : { protocol: '', host: '' };
  return signal(`${protocol}//${host}`) ? `${protocol}//${host}` : '';
}

const listType = 'sightline-access+jws';
const maxOwners = 16;
const maxPublishers = 64;

/** So many always fit, whatever else is in the list. */
export const maxRevoked = 400;


/** An access list that is none, or that cannot be made. */
export class AccessListError extends Error {
  name = 'AccessListError';
}

/** @param {any} value */
const version = (value) => whole(value) && value >= 1;
/** @param {{ id: string }} entry */
const byId = ({ id }) => id;
/** What a revocation takes away. @param {{ kind: string, id: string }} entry */
export const byKindAndId = ({ kind, id }) => `${kind} ${id}`;

const revocation = object({ kind: oneOf('grant', 'peer'), id: text(64), exp: whole, time: whole });
const shape = object({
  type: oneOf('access'),
  home: token(16),
  version,
  previous: orEmpty(token(32)),
  time: whole,
  owners: listOf(1, maxOwners, object({ id: peer, name, device: name }), byId),
  publishers: listOf(0, maxPublishers, object({ id: peer, name, kind: oneOf('agent', 'recorder'), signal }), byId),
  revoked: listOf(
    0,
    maxRevoked,
    (entry) => revocation(entry) && (entry.kind === 'peer' ? peer(entry.id) : token(16)(entry.id)),
    byKindAndId,
  ),
});

/**
 * One signed text has many good signatures, which anybody can make of one of
 * them: so they are left out.
 *
 * @param {string} compact
 */
function hashOf(compact) {
  return sha256(compact.slice(0, compact.lastIndexOf('.')));
}

/** @param {any} list @returns {list is AccessList} */
function isList(list) {
  if (!shape(list) || (list.version === 1) !== (list.previous === '')) return false;
  const owners = new Set(list.owners.map(byId));
  return !list.revoked.some((/** @type {Revocation} */ { id }) => owners.has(id));
}

/**
 * Checks a list's signature and form. Whether its signer may sign it depends on
 * the list before.
 *
 * @param {string} compact
 * @returns {Promise<SignedList>}
 * @throws {AccessListError}
 */
export async function parseList(compact) {
  try {
    const { payload, from } = await verify(compact, listType);
    const list = parseStrict(payload);
    if (!isList(list)) throw new AccessListError('the access list has not the form it must have');
    return { list, signer: from, compact, hash: await hashOf(compact) };
  } catch (error) {
    if (error instanceof AccessListError) throw error;
    throw new AccessListError('the access list is malformed', { cause: error });
  }
}

/**
 * @param {import('./identity.js').Identity} identity
 * @param {Omit<AccessList, 'type'>} content
 * @returns {Promise<SignedList>}
 * @throws {AccessListError}
 */
export async function signList(identity, { home, version, previous, time, owners, publishers, revoked }) {
  /** @type {AccessList} */
  const list = { type: 'access', home, version, previous, time, owners, publishers, revoked };
  if (owners.length > maxOwners) throw new AccessListError(`A home has at most ${maxOwners} owners. Remove one first.`);
  if (publishers.length > maxPublishers) throw new AccessListError(`A home has at most ${maxPublishers} agents and recorders.`);
  if (revoked.length > maxRevoked) {
    throw new AccessListError(`At most ${maxRevoked} grants can be revoked at a time. Give grants that expire, and wait for some to do so.`);
  }
  if (!isList(list)) throw new AccessListError('There is something in the access list that no agent would accept.');
  const compact = await sign(identity, JSON.stringify(list), listType);
  return { list, signer: identity.peerId, compact, hash: await hashOf(compact) };
}
