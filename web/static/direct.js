/**
 * A direct dial: a session with a publisher at a known address, with no
 * signaling service. The publisher has given this browser a ticket before. The
 * browser makes the publisher's half of the descriptions itself: the
 * publisher's certificate is known, and its ICE credentials are agreed on. The
 * publisher recognises the user fragment in the first check. It says who dials
 * and with which certificate, and this browser's key signs it, for this
 * publisher and this minute: whoever has copied the ticket cannot make one.
 * The password follows from the ticket's secret and the fragment: whoever has no
 * ticket cannot make a check that the publisher answers.
 *
 * The browser's own description is used as the browser made it: the publisher
 * is an ICE lite agent (RFC 8445 §2.5), which sends no checks and so has no need
 * of the browser's credentials.
 */
import { fromBase32, utf8 } from './encoding.js';
import { pointOf } from './identity.js';

const version = 1;

/** What the signature is about, so that none made for anything else passes for one. */
const purpose = 'sightline direct call 1';

/**
 * Makes the ICE credentials of the publisher's side. The fragment is, after
 * "sl", the base64 of
 *
 *     1 | the identity's key (33 bytes) | the ticket's end (4) | now (4) | SHA-256 of this browser's DTLS certificate (32)
 *       | nonce (8) | signature (64)
 *
 * with times in Unix seconds, big endian. The signature is the identity's over
 * the purpose, the publisher's PeerID (32 bytes) and everything before it.
 *
 * @param {import('./addressbook.js').Ticket} ticket
 * @param {object} call
 * @param {string} call.peer the publisher's PeerID
 * @param {import('./identity.js').Identity} call.identity
 * @param {string} call.offer this browser's description
 * @param {number} call.nowMs the publisher's clock as far as it is known, milliseconds since 1970; it refuses calls that
 *   are minutes off
 * @param {import('./encoding.js').Bytes} [call.nonce] 8 bytes, fresh
 * @returns {Promise<{ ufrag: string, pwd: string }>} 197 and 43 characters; ICE allows 256 (RFC 8839 §5.4)
 */
export async function agreedCredentials({ key, expiresUnix }, { peer, identity, offer, nowMs, nonce = random(8) }) {
  const times = new Uint8Array(8);
  const view = new DataView(times.buffer);
  view.setUint32(0, expiresUnix);
  view.setUint32(4, Math.floor(nowMs / 1000));
  const said = joined([version], compressed(identity.jwk), times, fingerprintOf(offer), nonce);
  const signature = await identity.sign(joined(utf8(purpose), fromBase32(peer), said));
  const ufrag = `sl${base64(joined(said, signature))}`;
  const mac = await crypto.subtle.sign('HMAC', key, utf8(ufrag));
  return { ufrag, pwd: base64(new Uint8Array(mac)) };
}

/**
 * Makes the publisher's answer to an offer of one data channel section.
 *
 * @param {import('./addressbook.js').Ticket} ticket
 * @param {{ ufrag: string, pwd: string }} credentials
 * @returns {string} SDP
 */
export function agreedAnswer({ addresses, fingerprint }, { ufrag, pwd }) {
  const candidates = addresses.map((address, i) => {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon).replaceAll(/[[\]]/g, '');
    // Host candidates of component 1, the earlier ones preferred (RFC 8445 §5.1.2).
    const priority = (126 << 24) | ((65535 - i) << 8) | 255;
    return `a=candidate:${i + 1} 1 udp ${priority} ${host} ${address.slice(colon + 1)} typ host`;
  });
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=ice-lite',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    `a=fingerprint:${fingerprint}`,
    'a=setup:passive',
    'a=sctp-port:5000',
    'a=max-message-size:65536',
    ...candidates,
    'a=end-of-candidates',
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** @param {string} sdp @returns {Uint8Array} the SHA-256 of the certificate in it */
function fingerprintOf(sdp) {
  const found = /^a=fingerprint:sha-256 ([0-9a-f]{2}(?::[0-9a-f]{2}){31})\r?$/im.exec(sdp);
  if (!found) throw new TypeError('the description has no SHA-256 fingerprint');
  return Uint8Array.from(found[1].split(':'), (byte) => parseInt(byte, 16));
}

/** @param {import('./identity.js').PublicJwk} jwk @returns {Uint8Array} the compressed point (SEC 1 §2.3.3), 33 bytes */
function compressed({ x, y }) {
  const point = pointOf(x, y);
  return Uint8Array.of(point[64] & 1 ? 3 : 2, ...point.subarray(1, 33));
}

/** @param {...ArrayLike<number>} parts @returns {import('./encoding.js').Bytes} */
function joined(...parts) {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

/** @param {number} size @returns {import('./encoding.js').Bytes} */
function random(size) {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** @param {Uint8Array} bytes @returns {string} base64 without padding, whose alphabet ICE allows */
function base64(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('=', '');
}
