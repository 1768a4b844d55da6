/**
 * Signed messages: JWS in compact form (RFC 7515 §7.1), ES256 only, the
 * signer's public key in the protected header. Who signed is computed from
 * the key, never taken from what the message says.
 */
import { decodeText, fromBase64Url, toBase64Url, utf8 } from './encoding.js';
import { pointOf } from './identity.js';
import { peerIdOf } from './peerid.js';
import { parseStrict } from './strict-json.js';

/** Longest compact form that is signed or looked at, in characters. */
export const maxCompactLength = 72 * 1024;

/** Longest protected header, in characters. */
const maxHeader = 1024;

/** The "typ" of signaling's messages. Other kinds of signatures have other ones: none passes for another. */
const messageType = 'sightline+jws';

/** A message whose signature or form is not what it must be. */
export class JwsError extends Error {
  name = 'JwsError';
}

/**
 * Signs a payload.
 *
 * @param {import('./identity.js').Identity} identity
 * @param {string} payload
 * @param {string} [type] the header's "typ", default that of signaling's messages
 * @returns {Promise<string>}
 */
export async function sign(identity, payload, type = messageType) {
  const { kty, crv, x, y } = identity.jwk;
  const header = JSON.stringify({ alg: 'ES256', typ: type, jwk: { kty, crv, x, y } });
  const signed = `${toBase64Url(utf8(header))}.${toBase64Url(utf8(payload))}`;
  const compact = `${signed}.${toBase64Url(await identity.sign(utf8(signed)))}`;
  if (compact.length > maxCompactLength) {
    throw new JwsError('the message is too long to be sent');
  }
  return compact;
}

/**
 * Checks a signature and returns the payload with the PeerID of its signer.
 *
 * @param {string} compact
 * @param {string} [type] the header's "typ", default that of signaling's messages
 * @returns {Promise<{ payload: string, from: string }>}
 * @throws {JwsError}
 */
export async function verify(compact, type = messageType) {
  const { subtle } = globalThis.crypto;
  if (typeof compact !== 'string' || compact.length > maxCompactLength) {
    throw new JwsError('the message is too long');
  }
  const parts = compact.split('.');
  if (parts.length !== 3 || parts[0].length > maxHeader) {
    throw new JwsError('the message is not a JWS of three parts');
  }
  try {
    const jwk = readHeader(decodeText(parts[0]), type);
    const point = pointOf(jwk.x, jwk.y);
    const signature = fromBase64Url(parts[2]);
    const key = await subtle.importKey('raw', point, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    const good =
      signature.length === 64 &&
      (await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, utf8(`${parts[0]}.${parts[1]}`)));
    if (!good) throw new JwsError('the signature is wrong');
    return { payload: decodeText(parts[1]), from: await peerIdOf(point, subtle) };
  } catch (error) {
    if (error instanceof JwsError) throw error;
    throw new JwsError('the message is malformed', { cause: error });
  }
}

/**
 * @param {string} json the protected header
 * @param {string} type
 * @returns {import('./identity.js').PublicJwk}
 */
function readHeader(json, type) {
  // Nothing in a header needs an escape, and one word has one spelling.
  if (json.includes('\\')) throw new JwsError('the header has escapes in it');
  const header = parseStrict(json);
  onlyFields(header, ['alg', 'typ', 'jwk']);
  onlyFields(header.jwk, ['kty', 'crv', 'x', 'y']);
  const { kty, crv, x, y } = header.jwk;
  if (header.alg !== 'ES256' || header.typ !== type || kty !== 'EC' || crv !== 'P-256') {
    throw new JwsError('the message is signed in a way this page does not accept');
  }
  if (typeof x !== 'string' || typeof y !== 'string') {
    throw new JwsError('the signer’s key is incomplete');
  }
  return header.jwk;
}

/** @param {any} object @param {string[]} allowed */
function onlyFields(object, allowed) {
  if (object === null || typeof object !== 'object') {
    throw new JwsError('the header is incomplete');
  }
  const extra = Object.keys(object).find((field) => !allowed.includes(field));
  if (extra !== undefined) throw new JwsError(`the header has an unknown field ${JSON.stringify(extra)}`);
}
