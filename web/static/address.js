/**
 * What the page shows, as its address says it: #peer=<PeerID>&camera=<id>, and
 * in a link that gives access &pair=<secret> or &invite=<jti>.<secret>. The
 * fragment never reaches a server.
 */
import { isToken } from './encoding.js';
import { parsePeerId } from './peerid.js';

/**
 * A secret that gives access, out of a link. Take it out of the address bar
 * at once: history.replaceState(null, '', writeAddress(peer, camera)).
 *
 * @typedef {object} Claim
 * @property {'pair' | 'invite'} kind
 * @property {string} invite the invite's jti; empty for pairing
 * @property {string} secret a token of 16 bytes
 *
 * @typedef {object} Place
 * @property {string | null} peer null where the address names none
 * @property {boolean} malformed whether there is a peer in the address that is none
 * @property {string} camera empty for all of them
 * @property {Claim | null} claim
 * @property {boolean} brokenClaim whether there is a secret in the address that is none: the link was cut or mistyped
 */

/** @param {string} hash @returns {Place} */
export function readAddress(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const text = fields.get('peer');
  const peer = text === null ? null : parsePeerId(text);
  const camera = fields.get('camera') ?? '';
  const given = fields.has('pair') || fields.has('invite');
  const claim = peer === null ? null : readClaim(fields);
  return {
    peer,
    malformed: Boolean(text) && peer === null,
    camera: /^[a-z0-9][a-z0-9_-]{0,63}$/.test(camera) ? camera : '',
    claim,
    brokenClaim: given && claim === null,
  };
}

/** @param {URLSearchParams} fields @returns {Claim | null} */
function readClaim(fields) {
  const pair = fields.get('pair');
  const invite = fields.get('invite');
  if (pair !== null && invite === null) return isToken(pair, 16) ? { kind: 'pair', invite: '', secret: pair } : null;
  if (invite === null || pair !== null) return null;
  const [jti, secret, ...rest] = invite.split('.');
  return rest.length === 0 && isToken(jti, 16) && isToken(secret, 16) ? { kind: 'invite', invite: jti, secret } : null;
}

/**
 * The fragment of a link that gives access.
 *
 * @param {string} peer
 * @param {Claim} claim
 * @returns {string}
 */
export function writeClaim(peer, { kind, invite, secret }) {
  return kind === 'pair' ? `#peer=${peer}&pair=${secret}` : `#peer=${peer}&invite=${invite}.${secret}`;
}

/** @param {string | null} peer @param {string} [camera] @returns {string} */
export function writeAddress(peer, camera = '') {
  if (peer === null) return '#';
  return camera === '' ? `#peer=${peer}` : `#peer=${peer}&camera=${camera}`;
}
