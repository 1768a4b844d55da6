// Makes webcrypto.json: a PeerID and a signed message by a browser's means only
// (WebCrypto), so that the Go side is tested against code it shares nothing
// with. Run: node webcrypto.mjs > webcrypto.json
const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
const text = (s) => new TextEncoder().encode(s);

function base32(bytes) {
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) {
      out += 'abcdefghijklmnopqrstuvwxyz234567'[(value >> (bits - 5)) & 31];
    }
  }
  return bits > 0 ? out + 'abcdefghijklmnopqrstuvwxyz234567'[(value << (5 - bits)) & 31] : out;
}

const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
const peerID = base32(new Uint8Array(await crypto.subtle.digest('SHA-256', point)));
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
const header = { alg: 'ES256', typ: 'sightline+jws', jwk: { kty, crv, x, y } };
const payload = JSON.stringify({ greeting: 'Grüße aus dem Browser', from: peerID });
const input = `${b64(text(JSON.stringify(header)))}.${b64(text(payload))}`;
const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, text(input));
console.log(JSON.stringify({ point: b64(point), peerID, payload, jws: `${input}.${b64(new Uint8Array(signature))}` }, null, 2));
