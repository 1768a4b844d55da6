/**
 * This browser's own identity: two P-256 keys that cannot be exported, kept in
 * IndexedDB. One signs what the browser says to agents; its PeerID is what an
 * owner lets in. With the other, others encrypt to this browser; the first one
 * signs that it is the same peer's (keys.js).
 */
import { committed, done, openDatabase } from './database.js';
import { fromBase64Url, toBase64Url } from './encoding.js';
import { peerIdOf } from './peerid.js';

/**
 * @typedef {object} PublicJwk a public key as RFC 7518 §6.2.1 writes it
 * @property {'EC'} kty
 * @property {'P-256'} crv
 * @property {string} x
 * @property {string} y
 *
 * @typedef {object} KeyPairs
 * @property {CryptoKeyPair} self ECDSA
 * @property {CryptoKeyPair} agreement ECDH
 *
 * @typedef {object} Identity
 * @property {string} peerId
 * @property {PublicJwk} jwk
 * @property {string} agreementKey what others encrypt to: an uncompressed point as base64url, 87 characters
 * @property {boolean} persistent false if the keys are lost when the page closes
 * @property {(data: import('./encoding.js').Bytes) => Promise<import('./encoding.js').Bytes>} sign ES256: r and s, 32 bytes each
 * @property {(other: CryptoKey) => Promise<import('./encoding.js').Bytes>} agree ECDH with the agreement key: 32 bytes
 */

/** There can be no identity here; the message tells a person why. */
export class IdentityError extends Error {
  name = 'IdentityError';
}

const objects = 'keys';
const signing = { name: 'ECDSA', namedCurve: 'P-256' };
/** What agreement keys are. */
export const agreeing = { name: 'ECDH', namedCurve: 'P-256' };

/**
 * Loads this browser's identity and creates what is missing of it. Where the
 * browser stores nothing (some private windows) the keys live as long as the
 * page.
 *
 * @param {{ crypto?: Crypto, indexedDB?: IDBFactory }} [platform]
 * @returns {Promise<Identity>}
 * @throws {IdentityError} where the page is no secure context
 */
export async function openIdentity(platform = globalThis) {
  const subtle = platform.crypto?.subtle;
  if (!subtle) {
    throw new IdentityError(
      'Browsers give keys only to pages that come over https or from this very machine. ' +
        'Open this page by its https address, or by http://localhost on the machine that serves it.',
    );
  }
  if (platform.indexedDB) {
    try {
      const db = await openDatabase(platform.indexedDB);
      try {
        return await fromKeyPairs(await storedKeys(db, subtle), subtle, true);
      } finally {
        db.close();
      }
    } catch (error) {
      console.warn('sightline: keys cannot be stored in this browser', error);
    }
  }
  return fromKeyPairs(await newKeyPairs(subtle), subtle, false);
}

/** @param {SubtleCrypto} subtle @returns {Promise<KeyPairs>} */
export async function newKeyPairs(subtle) {
  const self = subtle.generateKey(signing, false, ['sign', 'verify']);
  const agreement = subtle.generateKey(agreeing, false, ['deriveBits']);
  return { self: await self, agreement: await agreement };
}

/**
 * @param {KeyPairs} pairs
 * @param {SubtleCrypto} subtle
 * @param {boolean} persistent
 * @returns {Promise<Identity>}
 */
export async function fromKeyPairs({ self, agreement }, subtle, persistent) {
  const { x, y } = await subtle.exportKey('jwk', self.publicKey);
  if (x === undefined || y === undefined) {
    throw new IdentityError('The stored key is not a P-256 key. Clear this site’s data and reload.');
  }
  return {
    jwk: { kty: 'EC', crv: 'P-256', x, y },
    peerId: await peerIdOf(pointOf(x, y), subtle),
    agreementKey: toBase64Url(await subtle.exportKey('raw', agreement.publicKey)),
    persistent,
    async sign(data) {
      return new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, self.privateKey, data));
    },
    async agree(other) {
      return new Uint8Array(await subtle.deriveBits({ name: 'ECDH', public: other }, agreement.privateKey, 256));
    },
  };
}

/**
 * Joins the coordinates of a JWK to an uncompressed SEC1 point.
 *
 * @param {string} x
 * @param {string} y
 * @returns {import('./encoding.js').Bytes}
 * @throws {SyntaxError} if a coordinate is not 32 bytes
 */
export function pointOf(x, y) {
  const parts = [fromBase64Url(x), fromBase64Url(y)];
  if (parts.some((part) => part.length !== 32)) {
    throw new SyntaxError('a P-256 coordinate has 32 bytes');
  }
  const point = new Uint8Array(65);
  point[0] = 4;
  point.set(parts[0], 1);
  point.set(parts[1], 33);
  return point;
}

/**
 * Reads the stored keys and adds what is missing. Of two tabs that are opened
 * at once the first to store a key wins: they must not end up as two peers.
 *
 * @param {IDBDatabase} db
 * @param {SubtleCrypto} subtle
 * @returns {Promise<KeyPairs>}
 */
async function storedKeys(db, subtle) {
  const slots = /** @type {(keyof KeyPairs)[]} */ (['self', 'agreement']);
  const stored = db.transaction(objects).objectStore(objects);
  const [self, agreement] = await Promise.all(slots.map((slot) => done(stored.get(slot))));
  if (self && agreement) return { self, agreement };
  // Made before the transaction: IndexedDB closes one that waits for anything
  // but itself.
  const pairs = await newKeyPairs(subtle);
  const transaction = db.transaction(objects, 'readwrite');
  const store = transaction.objectStore(objects);
  for (const slot of slots) {
    const existing = store.get(slot);
    existing.onsuccess = () => {
      if (existing.result) pairs[slot] = existing.result;
      else store.put(pairs[slot], slot);
    };
  }
  await committed(transaction);
  return pairs;
}
