/**
 * Sealed messages: JWE in compact form (RFC 7516 §7.1), ECDH-ES on P-256 (RFC
 * 7518 §4.6) with A256GCM. Sealing hides a message from whoever passes it on
 * and says nothing about who wrote it; the JWS inside does.
 */
import { decodeText, fromBase64Url, toBase64Url, utf8 } from './encoding.js';
import { agreeing, pointOf } from './identity.js';
import { parseStrict } from './strict-json.js';

/** Longest sealed message, in characters. */
export const maxSealedLength = 98 * 1024;

const maxHeader = 1024;
const type = 'sightline+jwe';
const content = 'A256GCM';

/** A message that is not sealed to this browser's key, or was changed on the way. */
export class JweError extends Error {
  name = 'JweError';
}

/**
 * Encrypts text so that only the holder of a key can read it.
 *
 * @param {CryptoKey} to the receiver's public agreement key
 * @param {string} text
 * @returns {Promise<string>}
 */
export async function seal(to, text) {
  const { subtle } = globalThis.crypto;
  const once = await subtle.generateKey(agreeing, false, ['deriveBits']);
  const { kty, crv, x, y } = await subtle.exportKey('jwk', once.publicKey);
  const header = toBase64Url(utf8(JSON.stringify({ alg: 'ECDH-ES', enc: content, typ: type, epk: { kty, crv, x, y } })));
  const secret = new Uint8Array(await subtle.deriveBits({ name: 'ECDH', public: to }, once.privateKey, 256));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const key = await contentKey(secret, 'encrypt');
  const sealed = new Uint8Array(await subtle.encrypt(parameters(iv, header), key, utf8(text)));
  const compact = [header, '', toBase64Url(iv), toBase64Url(sealed.subarray(0, -16)), toBase64Url(sealed.subarray(-16))].join('.');
  if (compact.length > maxSealedLength) throw new JweError('the message is too long to be sent');
  return compact;
}

/**
 * Decrypts what was sealed to this browser. Accepted is exactly the form that
 * seal makes; it is looked at before any cryptography.
 *
 * @param {import('./identity.js').Identity} identity
 * @param {string} compact
 * @returns {Promise<string>}
 * @throws {JweError}
 */
export async function unseal(identity, compact) {
  const { subtle } = globalThis.crypto;
  try {
    const { header, point, iv, sealed } = readForm(compact);
    const key = await contentKey(await identity.agree(await importAgreementPoint(point)), 'decrypt');
    const text = await subtle.decrypt(parameters(iv, header), key, sealed);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch (error) {
    if (error instanceof JweError) throw error;
    throw new JweError('the message is not sealed to this browser', { cause: error });
  }
}

/**
 * @param {import('./encoding.js').Bytes} point uncompressed, 65 bytes
 * @returns {Promise<CryptoKey>} rejects if it is not on the curve
 */
export function importAgreementPoint(point) {
  return globalThis.crypto.subtle.importKey('raw', point, agreeing, true, []);
}

/** @param {string} compact */
function readForm(compact) {
  if (typeof compact !== 'string' || compact.length > maxSealedLength) throw new JweError('the message is too long');
  const parts = compact.split('.');
  if (parts.length !== 5 || parts[1] !== '' || parts[0].length > maxHeader) {
    throw new JweError('the message is not sealed');
  }
  const [iv, text, tag] = parts.slice(2).map(fromBase64Url);
  if (iv.length !== 12 || tag.length !== 16) throw new JweError('the message is not sealed');
  const sealed = new Uint8Array(text.length + tag.length);
  sealed.set(text);
  sealed.set(tag, text.length);
  return { header: parts[0], point: readHeader(decodeText(parts[0])), iv, sealed };
}

/** @param {string} json @returns {import('./encoding.js').Bytes} the sender's point */
function readHeader(json) {
  const header = parseStrict(json);
  exactly(header, ['alg', 'enc', 'typ', 'epk']);
  exactly(header.epk, ['kty', 'crv', 'x', 'y']);
  const { kty, crv, x, y } = header.epk;
  if (header.alg !== 'ECDH-ES' || header.enc !== content || header.typ !== type || kty !== 'EC' || crv !== 'P-256') {
    throw new JweError('the message is sealed in a way this page does not accept');
  }
  return pointOf(String(x), String(y));
}

/** @param {unknown} object @param {string[]} names all and no others */
function exactly(object, names) {
  const found = typeof object === 'object' && object !== null && !Array.isArray(object) ? Object.keys(object) : [];
  if (found.length !== names.length || !names.every((name) => found.includes(name))) {
    throw new JweError('the message’s header is not what it must be');
  }
}

/**
 * The Concat KDF of RFC 7518 §4.6.2, whose one round of SHA-256 gives all 256
 * bits; no party info.
 *
 * @param {import('./encoding.js').Bytes} secret
 * @param {'encrypt' | 'decrypt'} use
 * @returns {Promise<CryptoKey>}
 */
async function contentKey(secret, use) {
  const { subtle } = globalThis.crypto;
  const algorithm = utf8(content);
  const input = new Uint8Array(4 + secret.length + 4 + algorithm.length + 12);
  const view = new DataView(input.buffer);
  view.setUint32(0, 1);
  input.set(secret, 4);
  view.setUint32(36, algorithm.length);
  input.set(algorithm, 40);
  view.setUint32(input.length - 4, 256);
  return subtle.importKey('raw', await subtle.digest('SHA-256', input), 'AES-GCM', false, [use]);
}

/** @param {import('./encoding.js').Bytes} iv @param {string} header @returns {AesGcmParams} */
function parameters(iv, header) {
  return { name: 'AES-GCM', iv, additionalData: utf8(header), tagLength: 128 };
}
