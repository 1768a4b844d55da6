/**
 * The agents that this browser has watched, in localStorage, newest first.
 */
import { isPeerId } from './peerid.js';

const key = 'sightline.recent';
const keep = 12;

/**
 * @typedef {object} Recent
 * @property {string} peer
 * @property {string[]} cameras their names, when last seen
 * @property {number} seenMs milliseconds since 1970
 */

/** @param {Pick<Storage, 'getItem'>} [storage] @returns {Recent[]} */
export function listRecent(storage) {
  try {
    const entries = JSON.parse((storage ?? localStorage).getItem(key) ?? '[]');
    return entries.filter(isRecent).slice(0, keep);
  } catch {
    return [];
  }
}

/**
 * @param {string} peer
 * @param {string[]} cameras
 * @param {Pick<Storage, 'getItem' | 'setItem'>} [storage]
 * @param {number} [nowMs]
 */
export function remember(peer, cameras, storage, nowMs = Date.now()) {
  const others = listRecent(storage).filter((entry) => entry.peer !== peer);
  write([{ peer, cameras: cameras.slice(0, 16), seenMs: nowMs }, ...others].slice(0, keep), storage);
}

/** @param {string} peer @param {Pick<Storage, 'getItem' | 'setItem'>} [storage] */
export function forget(peer, storage) {
  write(listRecent(storage).filter((entry) => entry.peer !== peer), storage);
}

/** @param {Recent[]} entries @param {Pick<Storage, 'setItem'>} [storage] */
function write(entries, storage) {
  try {
    (storage ?? localStorage).setItem(key, JSON.stringify(entries));
  } catch {
    // Storage is off or full: the list is a convenience.
  }
}

/** @param {any} entry @returns {entry is Recent} */
function isRecent(entry) {
  return (
    isPeerId(entry?.peer) &&
    Number.isFinite(entry.seenMs) &&
    Array.isArray(entry.cameras) &&
    entry.cameras.every((/** @type {unknown} */ name) => typeof name === 'string')
  );
}
