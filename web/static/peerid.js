/**
 * PeerIDs: lower-case base32 of the SHA-256 of a peer's public key, 52
 * characters, shown to people in groups of four.
 */
import { toBase32 } from './encoding.js';

// 256 bits in 52 characters leave four bits over, which are zero: the last
// character is one of two.
const pattern = /^[a-z2-7]{51}[aq]$/;

/**
 * Returns the PeerID of a public key given as an uncompressed SEC1 point.
 *
 * @param {import('./encoding.js').Bytes} point 65 bytes
 * @param {SubtleCrypto} subtle
 * @returns {Promise<string>}
 */
export async function peerIdOf(point, subtle) {
  return toBase32(new Uint8Array(await subtle.digest('SHA-256', point)));
}

/** @param {unknown} text @returns {text is string} */
export function isPeerId(text) {
  return typeof text === 'string' && pattern.test(text);
}

/**
 * Reads a PeerID as people type or paste it: plain, in groups, in upper case,
 * or as a link to this page. Returns null if there is none in the text.
 *
 * @param {string} text
 * @returns {string | null}
 */
export function parsePeerId(text) {
  const link = /[#&]peer=([^&\s]*)/i.exec(text);
  const id = (link ? link[1] : text).replaceAll(/[\s-]/g, '').toLowerCase();
  return isPeerId(id) ? id : null;
}

/** @param {string} id @returns {string} abcd-efgh-... */
export function groupPeerId(id) {
  return id.match(/.{1,4}/g)?.join('-') ?? '';
}

/** @param {string} id @returns {string} the first two groups, to tell peers apart in a list */
export function shortPeerId(id) {
  return `${id.slice(0, 4)}-${id.slice(4, 8)}…`;
}
