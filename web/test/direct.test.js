import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { agreedAnswer, agreedCredentials } from '../static/direct.js';
import { fromBase32, toBase32 } from '../static/encoding.js';
import { fromKeyPairs } from '../static/identity.js';
import { someone } from './someone.js';

const secret = Buffer.alloc(32, 9);
const peer = toBase32(new Uint8Array(32).fill(5));
const offer = `v=0\r\na=fingerprint:sha-256 ${'0a:'.repeat(32).slice(0, -1)}\r\n`;
const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
const ticket = { key, expiresUnix: 0x01020304, addresses: ['192.0.2.1:40000', '[2001:db8::1]:40001'], fingerprint: 'sha-256 AB:CD' };

/**
 * The key of RFC 6979 §A.2.5, whose y is odd, and the one with the opposite
 * point: the same x, and y even. [d, y, first byte of the compressed point]
 */
const x = '60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6';
const keys = [
  ['C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721', '7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299', 3],
  ['36505626BA458AEA94A3DEA8984E296C6E9636D2702F0372782F6897EA53BE30', '86FC01EEF74743675BE51616A9D7439B0D0E4DF4D28160AE885C3D6B2BB9DD66', 2],
];

/** @param {string} d @param {string} y */
async function identityOf(d, y) {
  const hex = (text) => Buffer.from(text, 'hex').toString('base64url');
  const curve = { name: 'ECDSA', namedCurve: 'P-256' };
  const publicJwk = { kty: 'EC', crv: 'P-256', x: hex(x), y: hex(y) };
  const publicKey = await crypto.subtle.importKey('jwk', publicJwk, curve, true, ['verify']);
  const privateKey = await crypto.subtle.importKey('jwk', { ...publicJwk, d: hex(d) }, curve, false, ['sign']);
  const agreement = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  return { publicKey, identity: await fromKeyPairs({ self: { publicKey, privateKey }, agreement }, crypto.subtle, true) };
}

test('the fragment says who dials whom, when, with which certificate and ticket; a signature and the password prove it', async () => {
  for (const [d, y, sign] of keys) {
    const { publicKey, identity } = await identityOf(d, y);
    const nonce = new Uint8Array(8).fill(6);
    const { ufrag, pwd } = await agreedCredentials(ticket, { peer, identity, offer, nowMs: 0x0a0b0c0d * 1000 + 999, nonce });
    assert.match(ufrag, /^sl[A-Za-z0-9+/]{195}$/);
    const bytes = Buffer.from(ufrag.slice(2), 'base64');
    assert.equal(bytes.length, 146);
    const parts = [[1], [sign], Buffer.from(x, 'hex'), [1, 2, 3, 4], [10, 11, 12, 13], Array(32).fill(10), Array(8).fill(6)];
    assert.deepEqual([...bytes.subarray(0, 82)], parts.flatMap((part) => [...part]));

    const signed = Buffer.concat([Buffer.from('sightline direct call 1'), Buffer.alloc(32, 5), bytes.subarray(0, 82)]);
    const ecdsa = { name: 'ECDSA', hash: 'SHA-256' };
    assert.ok(await crypto.subtle.verify(ecdsa, publicKey, bytes.subarray(82), signed));
    const point = Buffer.from(`04${x}${y}`, 'hex');
    assert.equal(toBase32(createHash('sha256').update(point).digest()), identity.peerId);

    assert.equal(pwd, createHmac('sha256', secret).update(ufrag).digest('base64').replaceAll('=', ''));
    assert.equal(pwd.length, 43);
  }
});

test('no two calls have the same fragment', async () => {
  const call = { peer, identity: await someone(), offer, nowMs: 0 };
  const fragments = await Promise.all([1, 2].map(async () => (await agreedCredentials(ticket, call)).ufrag));
  const [one, two] = fragments.map((fragment) => Buffer.from(fragment.slice(2), 'base64'));
  assert.deepEqual(one.subarray(0, 74), two.subarray(0, 74));
  assert.notDeepEqual(one.subarray(74, 82), two.subarray(74, 82));
  await assert.rejects(agreedCredentials(ticket, { ...call, offer: 'v=0\r\n' }), TypeError);
});

test('the answer names the known certificate and addresses', () => {
  const sdp = agreedAnswer(ticket, { ufrag: 'slx', pwd: 'p' });
  assert.match(sdp, /^v=0\r\n(?:[^\r\n]+\r\n)+$/);
  for (const line of ['a=ice-lite', 'a=setup:passive', 'a=ice-ufrag:slx', 'a=ice-pwd:p', 'a=fingerprint:sha-256 AB:CD',
    'a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host', 'a=candidate:2 1 udp 2130706175 2001:db8::1 40001 typ host']) {
    assert.ok(sdp.includes(`${line}\r\n`), line);
  }
});

test('base32 has one spelling', () => {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  assert.deepEqual(fromBase32(toBase32(bytes)), bytes);
  for (const bad of ['A', 'a', 'a0', '1'.repeat(52), `${'a'.repeat(51)}b`]) assert.throws(() => fromBase32(bad), SyntaxError, bad);
});
