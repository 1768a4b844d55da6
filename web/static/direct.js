/**
 * A direct dial: a session with a publisher at a known address, with no
 * signaling service. The publisher has given this browser a ticket before. The
 * browser makes the publisher's half of the descriptions itself: the
 * publisher's certificate is known, and its ICE credentials follow from the
 * ticket's secret. The publisher recognises the user fragment in the first
 * check and computes the password; whoever does not have the secret cannot make
 * a check that it answers. It sees from the fragment which certificate is the
 * browser's.
 *
 * The browser's own description is used as the browser made it: the publisher
 * is an ICE lite agent (RFC 8445 §2.5), which sends no checks and so has no need
 * of the browser's credentials.
 */
import { fromBase32, utf8 } from './encoding.js';

const version = 1;

/**
 * Makes the ICE credentials of the publisher's side.
 *
 * @param {import('./addressbook.js').Ticket} ticket
 * @param {string} viewer this browser's PeerID
 * @param {string} offer this browser's description
 * @param {import('./encoding.js').Bytes} [nonce] 8 bytes, fresh
 * @returns {Promise<{ ufrag: string, pwd: string }>} 105 and 43 characters
 */
export async function agreedCredentials({ key, expiresUnix }, viewer, offer, nonce = crypto.getRandomValues(new Uint8Array(8))) {
  const bytes = new Uint8Array(77);
  bytes[0] = version;
  bytes.set(fromBase32(viewer), 1);
  new DataView(bytes.buffer).setUint32(33, expiresUnix);
  bytes.set(fingerprintOf(offer), 37);
  bytes.set(nonce, 69);
  const ufrag = `sl${base64(bytes)}`;
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

/** @param {Uint8Array} bytes @returns {string} base64 without padding, whose alphabet ICE allows */
function base64(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('=', '');
}
