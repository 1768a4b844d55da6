/**
 * Text encodings of bytes: base64url without padding (RFC 4648 §5) and
 * lower-case base32 without padding (§6). Decoding is strict, so that one
 * value has one spelling.
 */

/** Bytes over a plain ArrayBuffer, which is what WebCrypto takes. @typedef {Uint8Array<ArrayBuffer>} Bytes */

const base32Alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** @param {string} text @returns {Bytes} */
export function utf8(text) {
  return new TextEncoder().encode(text);
}

/** @param {Bytes | ArrayBuffer} data @returns {string} */
export function toBase64Url(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  let binary = '';
  for (let i = 0; i < bytes.length; i += 8192) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * Throws SyntaxError on padding, foreign characters, an impossible length or
 * bits set beyond the last byte.
 *
 * @param {string} text
 * @returns {Bytes}
 */
export function fromBase64Url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw new SyntaxError('not base64url');
  }
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  if (toBase64Url(bytes) !== text) {
    throw new SyntaxError('base64url with stray bits at its end');
  }
  return bytes;
}

/** @param {string} text base64url of UTF-8 @returns {string} @throws {SyntaxError | TypeError} if it is not */
export function decodeText(text) {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fromBase64Url(text));
}

/**
 * Whether text is the one spelling of so many bytes.
 *
 * @param {unknown} text
 * @param {number} size
 * @returns {text is string}
 */
export function isToken(text, size) {
  if (typeof text !== 'string' || text.length !== Math.ceil((size * 4) / 3)) return false;
  try {
    return fromBase64Url(text).length === size;
  } catch {
    return false;
  }
}

/** @param {number} size @returns {string} so many random bytes */
export function randomToken(size) {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(size)));
}

/** @param {string | Bytes} data text is taken as UTF-8 @returns {Promise<string>} the token of its SHA-256 */
export async function sha256(data) {
  return toBase64Url(await crypto.subtle.digest('SHA-256', typeof data === 'string' ? utf8(data) : data));
}

/** @param {Bytes} bytes @returns {string} */
export function toBase32(bytes) {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32Alphabet[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + base32Alphabet[(held << (5 - bits)) & 31] : text;
}

/**
 * Throws SyntaxError on foreign characters, an impossible length or bits set
 * beyond the last byte.
 *
 * @param {string} text
 * @returns {Bytes}
 */
export function fromBase32(text) {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let size = 0;
  for (const character of text) {
    const value = base32Alphabet.indexOf(character);
    if (value < 0) throw new SyntaxError('not base32');
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[size++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  if (toBase32(bytes) !== text) throw new SyntaxError('base32 with stray bits at its end');
  return bytes;
}
