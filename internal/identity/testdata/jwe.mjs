// Makes jwe.json: a message sealed by a browser's means only (WebCrypto), so
// that the Go side is tested against code it shares nothing with.
// Run: node jwe.mjs > jwe.json
const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
const text = (s) => new TextEncoder().encode(s);
const curve = { name: 'ECDH', namedCurve: 'P-256' };

const receiver = await crypto.subtle.generateKey(curve, true, ['deriveBits']);
const sender = await crypto.subtle.generateKey(curve, true, ['deriveBits']);
const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', sender.publicKey);
const header = b64(text(JSON.stringify({ alg: 'ECDH-ES', enc: 'A256GCM', typ: 'sightline+jwe', epk: { kty, crv, x, y } })));

// Concat KDF, RFC 7518 §4.6.2: one round of SHA-256 gives the 256 bits.
const secret = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: receiver.publicKey }, sender.privateKey, 256));
const algorithm = text('A256GCM');
const number = (n) => new Uint8Array([n >> 24, n >> 16, n >> 8, n]);
const input = Buffer.concat([number(1), secret, number(algorithm.length), algorithm, number(0), number(0), number(256)]);
const key = await crypto.subtle.importKey('raw', await crypto.subtle.digest('SHA-256', input), 'AES-GCM', false, ['encrypt']);

const plaintext = 'aaa.bbb.Grüße';
const iv = crypto.getRandomValues(new Uint8Array(12));
const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: text(header) }, key, text(plaintext)));
const compact = [header, '', b64(iv), b64(sealed.subarray(0, -16)), b64(sealed.subarray(-16))].join('.');
const { d, ...rest } = await crypto.subtle.exportKey('jwk', receiver.privateKey);
console.log(JSON.stringify({
  receiver: { kty: 'EC', crv: 'P-256', x: rest.x, y: rest.y, d },
  agreementKey: b64(new Uint8Array(await crypto.subtle.exportKey('raw', receiver.publicKey))),
  plaintext,
  compact,
}, null, 2));
