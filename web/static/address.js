/**
 * What the page shows, as its address says it: #peer=<PeerID>&camera=<id>.
 * The fragment never reaches a server.
 */
import { parsePeerId } from './peerid.js';

/**
 * @typedef {object} Place
 * @property {string | null} peer null where the address names none
 * @property {boolean} malformed whether there is a peer in the address that is none
 * @property {string} camera empty for all of them
 */

/** @param {string} hash @returns {Place} */
export function readAddress(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const text = fields.get('peer');
  const peer = text === null ? null : parsePeerId(text);
  const camera = fields.get('camera') ?? '';
  return { peer, malformed: Boolean(text) && peer === null, camera: /^[a-z0-9][a-z0-9_-]{0,63}$/.test(camera) ? camera : '' };
}

/** @param {string | null} peer @param {string} [camera] @returns {string} */
export function writeAddress(peer, camera = '') {
  if (peer === null) return '#';
  return camera === '' ? `#peer=${peer}` : `#peer=${peer}&camera=${camera}`;
}
