/**
 * The STUN and TURN servers that help to reach a publisher, as its messages and
 * GET /v1/ice name them.
 */
import { listOf, object, text, whole } from './shape.js';

/**
 * @typedef {object} IceServer
 * @property {string[]} urls stun: (RFC 7064), turn: or turns: (RFC 7065)
 * @property {string} username for TURN; empty for STUN
 * @property {string} credential
 * @property {number} expires when the credential ends, in seconds since 1970; 0 for never
 */

/** Longest URL, username and credential, in characters. */
const maxText = 256;

/** Most servers in a message, and most URLs of one. */
const most = 4;

/** @type {import('./shape.js').Check} */
const url = (value) => text(maxText)(value) && /^(?:stun|turns?):[!-~]+$/.test(value);

const credential = (/** @type {unknown} */ value) => text(maxText)(value) && /^[!-~]*$/.test(String(value));

/** @type {import('./shape.js').Check} */
const server = object({ urls: listOf(1, most, url), username: credential, credential, expires: whole });

/** @param {unknown} value @returns {value is IceServer[]} */
export function isIceServers(value) {
  return listOf(0, most, server)(value);
}

/**
 * @param {unknown} urls as a signaling service names them
 * @returns {IceServer[]} none if they are not STUN servers
 */
export function stunServers(urls) {
  const servers = [{ urls, username: '', credential: '', expires: 0 }];
  if (!isIceServers(servers)) return [];
  return servers.every(({ urls }) => urls.every((each) => each.startsWith('stun:'))) ? servers : [];
}

/** A credential that ends within this time is not used any more, in seconds. */
const marginSeconds = 30;

/**
 * @param {IceServer[]} servers
 * @param {number} nowMs since 1970
 * @returns {IceServer[]} those that can still be used
 */
export function unexpired(servers, nowMs) {
  return servers.filter(({ expires }) => expires === 0 || expires - marginSeconds > nowMs / 1000);
}

/**
 * What a peer connection is given: no URL twice, and no more than two for STUN.
 * Two let the browser see whether its network changes the port for every
 * destination; each one more only costs time.
 *
 * @param {IceServer[]} servers the better ones first
 * @returns {RTCIceServer[]}
 */
export function toConfiguration(servers) {
  const seen = new Set();
  let stun = 0;
  return servers.flatMap(({ urls, username, credential }) => {
    const fresh = urls.filter((url) => {
      if (seen.has(url) || (url.startsWith('stun:') && stun === 2)) return false;
      if (url.startsWith('stun:')) stun += 1;
      seen.add(url);
      return url.startsWith('stun:') || username !== '';
    });
    if (fresh.length === 0) return [];
    return username ? [{ urls: fresh, username, credential }] : [{ urls: fresh }];
  });
}
