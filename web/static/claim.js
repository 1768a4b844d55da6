/**
 * Claims: a browser shows a publisher that it knows a secret, without saying it,
 * over a connection that is encrypted already. The proof is bound to that
 * connection's handshake and to both keys, so that it is worth nothing to
 * whoever saw or altered the signaling, and the publisher proves the same back:
 * whoever does not know the secret can neither give nor take anything.
 */
import { ApiError, callJson } from './api.js';
import { fromBase64Url, isToken, toBase64Url, utf8 } from './encoding.js';

/**
 * @typedef {object} ClaimResult
 * @property {'owner' | 'guest'} role
 * @property {string} grant what a guest got; empty for an owner
 * @property {string} home of the publisher; empty if it has none yet
 *
 * @typedef {object} ClaimBinding what a proof is for
 * @property {'pair' | 'invite'} kind
 * @property {string} transcript of the session's handshake
 * @property {string} viewer PeerID
 * @property {string} publisher PeerID
 */

/**
 * @param {string} secret a token of 16 bytes
 * @param {'viewer' | 'publisher'} side whose proof it is
 * @param {ClaimBinding} binding
 * @returns {Promise<string>} a token of 32 bytes
 */
export async function claimProof(secret, side, binding) {
  return toBase64Url(await crypto.subtle.sign('HMAC', await macKey(secret, 'sign'), proofInput(side, binding)));
}

/**
 * @param {Pick<import('./session.js').Session, 'http' | 'transcript'>} session made for this claim
 * @param {object} request
 * @param {import('./address.js').Claim} request.claim
 * @param {string} request.viewer
 * @param {string} request.publisher
 * @param {string} request.name
 * @param {string} request.device
 * @param {AbortSignal} [signal]
 * @returns {Promise<ClaimResult>}
 * @throws {ApiError} also "wrong_proof" if the publisher does not know the secret
 */
export async function proveClaim(session, { claim, viewer, publisher, name, device }, signal) {
  const { kind, invite, secret } = claim;
  const binding = { kind, transcript: session.transcript, viewer, publisher };
  if (binding.transcript === '') throw new TypeError('the session has no handshake to prove anything over');
  const proof = await claimProof(secret, 'viewer', binding);
  const body = { kind, invite, proof, name, device };
  const answer = await callJson(session.http, '/v1/claim', { method: 'POST', body, signal });
  if (!isToken(answer?.proof, 32)) throw notTheSame();
  const key = await macKey(secret, 'verify');
  // WebCrypto compares in constant time.
  if (!(await crypto.subtle.verify('HMAC', key, fromBase64Url(answer.proof), proofInput('publisher', binding)))) {
    throw notTheSame();
  }
  const { role, grant = '', home = '' } = answer;
  if (!['owner', 'guest'].includes(role) || typeof grant !== 'string' || (home !== '' && !isToken(home, 16))) {
    throw new ApiError(502, 'bad-answer', 'The agent’s answer makes no sense. Update the agent or this page.');
  }
  return { role, grant, home };
}

const notTheSame = () =>
  new ApiError(
    403,
    'wrong_proof',
    'Whoever answered does not know the secret of this link. Nothing was given or taken. Ask for a new link.',
  );

/** @param {string} secret @param {'sign' | 'verify'} use @returns {Promise<CryptoKey>} */
function macKey(secret, use) {
  return crypto.subtle.importKey('raw', fromBase64Url(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [use]);
}

/** @param {'viewer' | 'publisher'} side @param {ClaimBinding} binding */
function proofInput(side, { kind, transcript, viewer, publisher }) {
  return utf8(['sightline-claim-v1', side, kind, transcript, viewer, publisher].join('\n'));
}
