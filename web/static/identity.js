/**
 * This browser's own identity: an ECDSA P-256 key that cannot be exported,
 * kept in IndexedDB. It signs what the browser says to agents; its PeerID is
 * what an owner puts on the allow list.
 */
import { fromBase64Url } from './encoding.js';
import { peerIdOf } from './peerid.js';

/**
 * @typedef {object} PublicJwk a public key as RFC 7518 §6.2.1 writes it
 * @property {'EC'} kty
 * @property {'P-256'} crv
 * @property {string} x
 * @property {string} y
 *
 * @typedef {object} Identity
 * @property {string} peerId
 * @property {PublicJwk} jwk
 * @property {boolean} persistent false if the key is lost when the page closes
 * @property {(data: import('./encoding.js').Bytes) => Promise<import('./encoding.js').Bytes>} sign ES256: r and s, 32 bytes each
 */

/** There can be no identity here; the message tells a person why. */
export class IdentityError extends Error {
  name = 'IdentityError';
}

const database = 'sightline';
const objects = 'keys';
const slot = 'self';
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };

/**
 * Loads this browser's identity and creates it the first time. Where the
 * browser stores nothing (some private windows) the key lives as long as the
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
  // Made before the transaction: IndexedDB closes a transaction that waits for
  // anything but itself.
  const fresh = () => subtle.generateKey(algorithm, false, ['sign', 'verify']);
  if (platform.indexedDB) {
    try {
      const db = await openDatabase(platform.indexedDB);
      try {
        const stored = await read(db);
        return await fromKeyPair(stored ?? (await addOrRead(db, await fresh())), subtle, true);
      } finally {
        db.close();
      }
    } catch (error) {
      console.warn('sightline: keys cannot be stored in this browser', error);
    }
  }
  return fromKeyPair(await fresh(), subtle, false);
}

/**
 * @param {CryptoKeyPair} pair
 * @param {SubtleCrypto} subtle
 * @param {boolean} persistent
 * @returns {Promise<Identity>}
 */
export async function fromKeyPair(pair, subtle, persistent) {
  const { x, y } = await subtle.exportKey('jwk', pair.publicKey);
  if (x === undefined || y === undefined) {
    throw new IdentityError('The stored key is not a P-256 key. Clear this site’s data and reload.');
  }
  return {
    jwk: { kty: 'EC', crv: 'P-256', x, y },
    peerId: await peerIdOf(pointOf(x, y), subtle),
    persistent,
    async sign(data) {
      return new Uint8Array(await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, data));
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

/** @param {IDBFactory} factory @returns {Promise<IDBDatabase>} */
function openDatabase(factory) {
  const request = factory.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(objects);
  return done(request);
}

/** @param {IDBDatabase} db @returns {Promise<CryptoKeyPair | undefined>} */
function read(db) {
  return done(db.transaction(objects).objectStore(objects).get(slot));
}

/**
 * Stores pair unless another tab was first, and returns what is stored: two
 * tabs opened at once must not end up as two peers.
 *
 * @param {IDBDatabase} db
 * @param {CryptoKeyPair} pair
 * @returns {Promise<CryptoKeyPair>}
 */
function addOrRead(db, pair) {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(objects, 'readwrite');
    const store = transaction.objectStore(objects);
    /** @type {CryptoKeyPair} */
    let kept = pair;
    const existing = store.get(slot);
    existing.onsuccess = () => {
      if (existing.result) kept = existing.result;
      else store.put(pair, slot);
    };
    transaction.oncomplete = () => resolve(kept);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
