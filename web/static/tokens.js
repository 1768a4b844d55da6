/**
 * Invites and grants. An invite is for somebody whose key is not known yet; the
 * publisher that redeems it makes a grant of it, which is for one key. Both are
 * signed, and both name what they come from, up to an owner.
 */
import { decodeText, fromBase64Url, randomToken, sha256 } from './encoding.js';
import { sign, verify } from './jws.js';
import { flag, listOf, name, object, oneOf, orEmpty, peer, text, token, whole } from './shape.js';
import { parseStrict } from './strict-json.js';

/** @typedef {import('./trust.js').Right} Right */

/** @type {Right[]} */
export const allRights = ['live', 'playback', 'talk', 'ptz', 'events', 'admin'];

/** Longest grant, in characters, with everything that it comes from. */
export const maxGrantLength = 6144;

/** Longest invite: the grant made of it has to fit too. */
export const maxInviteLength = 4096;

/** A chain has at most so many tokens, and so many of them are grants. */
const maxChain = 4;
const maxGrants = 3;

/** An invite works at most this long, in seconds. */
export const maxInviteSeconds = 7 * 24 * 3600;

/**
 * @typedef {object} Grant
 * @property {string} iss PeerID of who signed it
 * @property {string} sub PeerID of whom it is for
 * @property {{ kid: string }} cnf the same, as RFC 7800 §3.4 wants it
 * @property {string} aud a home, or one publisher's PeerID
 * @property {string} jti
 * @property {number} iat Unix seconds
 * @property {number} exp Unix seconds; 0: until it is revoked
 * @property {string} name
 * @property {string} device
 * @property {Right[]} rights
 * @property {string[]} cameras "*", "<PeerID>/*" or "<PeerID>/<camera id>"
 * @property {boolean} pass
 * @property {false} owner
 * @property {string} prf what it comes from: an invite, a grant, or empty
 *
 * @typedef {object} Invite
 * @property {string} iss
 * @property {string} aud
 * @property {string} jti
 * @property {number} iat
 * @property {number} exp of the invite
 * @property {string} redeemer PeerID of the publisher that knows the secret
 * @property {string} commit SHA-256 of the secret's bytes
 * @property {string} name
 * @property {Right[]} rights
 * @property {string[]} cameras
 * @property {boolean} pass
 * @property {number} grantExp
 * @property {boolean} owner
 * @property {string} prf
 */

const grantType = 'sightline-grant+jwt';
const inviteType = 'sightline-invite+jwt';

/** A grant or invite that is none. */
export class TokenError extends Error {
  name = 'TokenError';
}

/** @param {any} value */
const camera = (value) => {
  if (value === '*') return true;
  const [id, rest, ...more] = typeof value === 'string' ? value.split('/') : [];
  return peer(id) && more.length === 0 && rest !== undefined && (rest === '*' || /^[a-z0-9][a-z0-9_-]{0,63}$/.test(rest));
};

const scope = {
  rights: listOf(1, allRights.length, oneOf(...allRights), String),
  cameras: listOf(1, 64, camera, String),
  pass: flag,
};
/** @param {any} value */
const audience = (value) => peer(value) || token(16)(value);

const common = { iss: peer, aud: audience, jti: token(16), iat: whole, exp: whole, name, ...scope, prf: orEmpty(text(maxGrantLength)) };

/** A grant makes no owner. @param {any} value */
const never = (value) => value === false;
const grantShape = object({ ...common, sub: peer, cnf: object({ kid: peer }), device: name, owner: never });
const inviteShape = object({ ...common, redeemer: peer, commit: token(32), grantExp: whole, owner: flag });

/**
 * A grant or invite and all that it comes from, the outermost first.
 *
 * @typedef {({ grant: Grant, invite?: undefined } | { invite: Invite, grant?: undefined })[]} Chain
 */

/**
 * Checks the signatures and the form of a grant and of all that it comes from;
 * whether it is good for anything is the publisher's question.
 *
 * @param {string} compact
 * @returns {Promise<Grant & { chain: Chain }>}
 * @throws {TokenError}
 */
export async function parseGrant(compact) {
  const chain = await parseChain(compact, false);
  if (!chain[0]?.grant) throw new TokenError('that is no grant');
  return { ...chain[0].grant, chain };
}

/**
 * As parseGrant, for an invite. One that is passed on comes from a grant.
 *
 * @param {string} compact
 * @returns {Promise<Invite & { chain: Chain }>}
 * @throws {TokenError}
 */
export async function parseInvite(compact) {
  const chain = await parseChain(compact, true);
  if (!chain[0]?.invite) throw new TokenError('that is no invite');
  return { ...chain[0].invite, chain };
}

/** @param {string} compact @param {boolean} invite whether the first is one @returns {Promise<Chain>} */
async function parseChain(compact, invite) {
  /** @type {Chain} */
  const chain = [];
  for (let next = compact, expectInvite = invite; next !== ''; ) {
    const grants = chain.filter(({ grant }) => grant).length;
    if (chain.length === maxChain || (!expectInvite && grants === maxGrants)) throw new TokenError('the token is passed on too often');
    chain.push(expectInvite ? { invite: await openInvite(next) } : { grant: await openGrant(next) });
    next = chain.at(-1)?.[expectInvite ? 'invite' : 'grant']?.prf ?? '';
    // An invite comes from a grant; a grant from either.
    expectInvite = !expectInvite && isInvite(next);
  }
  return chain;
}

/**
 * Signs a grant to a key that is known.
 *
 * @param {import('./identity.js').Identity} identity
 * @param {Omit<Grant, 'iss' | 'cnf'>} grant
 * @returns {Promise<string>}
 * @throws {TokenError} if there is something in it that no publisher would take
 */
export function signGrant(identity, { sub, aud, jti, iat, exp, name, device, rights, cameras, pass, owner, prf }) {
  const iss = identity.peerId;
  const grant = { iss, sub, cnf: { kid: sub }, aud, jti, iat, exp, name, device, rights, cameras, pass, owner, prf };
  return write(identity, grant, grantType, maxGrantLength, grantShape);
}

/**
 * @param {import('./identity.js').Identity} identity
 * @param {Omit<Invite, 'iss'>} invite
 * @returns {Promise<string>}
 * @throws {TokenError} if there is something in it that no publisher would take
 */
export function signInvite(identity, { aud, jti, iat, exp, redeemer, commit, name, rights, cameras, pass, grantExp, owner, prf }) {
  const iss = identity.peerId;
  const invite = { iss, aud, jti, iat, exp, redeemer, commit, name, rights, cameras, pass, grantExp, owner, prf };
  return write(identity, invite, inviteType, maxInviteLength, inviteShape);
}

/**
 * What a token gives.
 *
 * @typedef {object} Scope
 * @property {Right[]} rights
 * @property {string[]} cameras
 * @property {boolean} pass
 * @property {number} exp Unix seconds; 0: until it is revoked
 */

/**
 * @param {Scope} child
 * @param {Scope} parent
 * @returns {boolean} whether child gives no more than parent
 */
export function isWithin(child, parent) {
  const covered = (/** @type {string} */ entry) =>
    parent.cameras.some((each) => each === '*' || each === entry || (entry !== '*' && each === `${entry.split('/')[0]}/*`));
  return (
    child.rights.every((right) => parent.rights.includes(right)) &&
    child.cameras.every(covered) &&
    (parent.exp === 0 || (child.exp !== 0 && child.exp <= parent.exp)) &&
    (parent.pass || !child.pass)
  );
}

/** @returns {Promise<{ jti: string, secret: string, commit: string }>} what a new invite needs */
export async function newInviteSecret() {
  const secret = randomToken(16);
  return { jti: randomToken(16), secret, commit: await sha256(fromBase64Url(secret)) };
}

/** Whether a token says it is an invite; the signature is checked with that. @param {string} compact */
function isInvite(compact) {
  try {
    return JSON.parse(decodeText(compact.split('.')[0])).typ === inviteType;
  } catch {
    return false;
  }
}

/** @param {string} compact @returns {Promise<Grant>} */
async function openGrant(compact) {
  const grant = /** @type {Grant} */ (await open(compact, grantType, maxGrantLength, grantShape));
  if (grant.cnf.kid !== grant.sub) throw new TokenError('the grant is bound to another key than its holder’s');
  return grant;
}

/** @param {string} compact @returns {Promise<Invite>} */
async function openInvite(compact) {
  const invite = /** @type {Invite} */ (await open(compact, inviteType, maxInviteLength, inviteShape));
  if (invite.exp <= invite.iat || invite.exp - invite.iat > maxInviteSeconds) {
    throw new TokenError('the invite works for longer than seven days');
  }
  return invite;
}

/**
 * @param {string} compact
 * @param {string} type
 * @param {number} longest in characters
 * @param {import('./shape.js').Check} shape
 * @returns {Promise<any>}
 */
async function open(compact, type, longest, shape) {
  if (typeof compact !== 'string' || compact.length > longest) throw new TokenError('the token is too long');
  try {
    const { payload, from } = await verify(compact, type);
    const value = parseStrict(payload);
    if (!shape(value)) throw new TokenError('the token has not the form it must have');
    if (value.iss !== from) throw new TokenError('the token is signed by someone else than it says');
    return value;
  } catch (error) {
    if (error instanceof TokenError) throw error;
    throw new TokenError('the token is malformed', { cause: error });
  }
}

/**
 * @param {import('./identity.js').Identity} identity
 * @param {object} value
 * @param {string} type
 * @param {number} longest in characters
 * @param {import('./shape.js').Check} shape
 * @returns {Promise<string>}
 */
async function write(identity, value, type, longest, shape) {
  if (!shape(value)) throw new TokenError('there is something in the token that nobody would accept');
  const compact = await sign(identity, JSON.stringify(value), type);
  if (compact.length > longest) throw new TokenError('That is too long. Name fewer cameras, or all of an agent.');
  return compact;
}
