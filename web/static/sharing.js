/**
 * Invites as people make them on the page: from a wish to what is signed.
 */
import { call } from './api.js';
import { isPeerId } from './peerid.js';
import { cleanName } from './shape.js';
import { allRights, isWithin, maxInviteSeconds, newInviteSecret, signInvite } from './tokens.js';

const daySeconds = 24 * 3600;

/** The wish cannot be fulfilled; the message is a sentence for a person. */
export class SharingError extends Error {
  name = 'SharingError';
}

/**
 * @typedef {object} Sharer
 * @property {import('./identity.js').Identity} identity
 * @property {import('./owner.js').Link} link the publisher that will redeem the invite
 * @property {import('./trust.js').Me} me
 * @property {string} home that the publisher belongs to by a list that this browser has verified; empty if there is none
 * @property {import('./passes.js').Pass[]} passes what this browser may pass on, if it is a guest
 * @property {number} now Unix seconds
 */

/**
 * Signs an invite and leaves it with the publisher.
 *
 * @param {Sharer} sharer
 * @param {import('./trust.js').InviteRequest} request
 * @returns {Promise<{ jti: string, secret: string, expires: number }>}
 */
export async function createInvite({ identity, link, me, home, passes, now }, request) {
  const { owner = false, inviteSeconds = daySeconds } = request;
  const given = me.role === 'owner' ? asOwner(link.peer, home, request, now) : asGuest(link.peer, passes, request, now);
  const { jti, secret, commit } = await newInviteSecret();
  const exp = now + Math.min(inviteSeconds, maxInviteSeconds);
  const invite = await signInvite(identity, {
    ...given, jti, commit, owner, exp, iat: now, redeemer: link.peer, name: cleanName(request.name),
  });
  await call(link.http, '/v1/invites', { method: 'POST', body: { invite, secret }, signal: link.ended });
  return { jti, secret, expires: exp };
}

/**
 * @param {string} publisher
 * @param {string} home
 * @param {import('./trust.js').InviteRequest} request
 * @param {number} now
 */
function asOwner(publisher, home, { rights, cameras, expiresSeconds, pass, owner }, now) {
  // Without a home there is nothing but this publisher.
  const aud = home || publisher;
  if (owner) return { aud, rights: allRights, cameras: ['*'], pass: true, grantExp: 0, prf: '' };
  const grantExp = expiresSeconds > 0 ? now + Math.floor(expiresSeconds) : 0;
  return { aud, rights: ordered(rights), cameras: entries(publisher, cameras), pass, grantExp, prf: '' };
}

/**
 * @param {string} publisher
 * @param {import('./passes.js').Pass[]} passes
 * @param {import('./trust.js').InviteRequest} request
 * @param {number} now
 */
function asGuest(publisher, passes, { rights, cameras, expiresSeconds, pass, owner }, now) {
  if (owner) throw new SharingError('Only an owner can make another owner. Ask the one who gave you your access.');
  const wish = expiresSeconds > 0 ? now + Math.floor(expiresSeconds) : 0;
  for (const { compact, grant } of passes) {
    if (!grant.pass) continue;
    // All means all that the guest has; nobody can give for longer.
    const all = cameras.includes('*') ? grant.cameras : entries(publisher, cameras);
    const exp = grant.exp === 0 || (wish !== 0 && wish < grant.exp) ? wish : grant.exp;
    const given = { rights: ordered(rights), cameras: all, pass };
    if (isWithin({ ...given, exp }, grant)) return { ...given, aud: grant.aud, grantExp: exp, prf: compact };
  }
  throw new SharingError('Your own access does not allow you to pass that on. Choose less, or ask an owner.');
}

/** @param {string} publisher @param {string[]} cameras @returns {string[]} as tokens write them */
function entries(publisher, cameras) {
  if (cameras.includes('*')) return ['*'];
  return [...new Set(cameras.map((id) => (isPeerId(id.split('/')[0]) ? id : `${publisher}/${id}`)))];
}

/** @param {import('./trust.js').Right[]} rights */
function ordered(rights) {
  return allRights.filter((right) => rights.includes(right));
}
