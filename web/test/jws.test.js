import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign as nodeSign, verify as nodeVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fromBase64Url, toBase64Url, utf8 } from '../static/encoding.js';
import { JwsError, maxCompactLength, sign, verify } from '../static/jws.js';
import { peerIdOf } from '../static/peerid.js';
import { someone } from './someone.js';

/** Signs any header with node's own cryptography. */
function forge(header, payload, key) {
  const signed = `${toBase64Url(utf8(header))}.${toBase64Url(utf8(payload))}`;
  return `${signed}.${nodeSign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

test('what is signed here is verified here and by another implementation', async () => {
  const me = await someone();
  const compact = await sign(me, '{"hello":"wörld"}');
  assert.deepEqual(await verify(compact), { payload: '{"hello":"wörld"}', from: me.peerId });
  const [header, payload, signature] = compact.split('.');
  const key = createPublicKey({ key: me.jwk, format: 'jwk' });
  const good = nodeVerify('sha256', Buffer.from(`${header}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  assert.equal(good, true);
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url')), { alg: 'ES256', typ: 'sightline+jws', jwk: me.jwk });
});

test('a message with any character changed is refused', async () => {
  const compact = await sign(await someone(), 'payload');
  for (let i = 0; i < compact.length; i++) {
    const other = compact[i] === 'A' ? 'B' : 'A';
    await assert.rejects(verify(compact.slice(0, i) + other + compact.slice(i + 1)), JwsError, `at ${i}`);
  }
});

test('any other header than ours is refused, however well signed', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const { d } = privateKey.export({ format: 'jwk' });
  const jwk = { kty, crv, x, y };
  const typ = 'sightline+jws';
  await verify(forge(JSON.stringify({ alg: 'ES256', typ, jwk }), 'x', privateKey));
  await verify(forge(JSON.stringify({ jwk, typ, alg: 'ES256' }), 'x', privateKey));
  for (const header of [
    { alg: 'none', typ, jwk },
    { alg: 'ES384', typ, jwk },
    { alg: 'ES256', typ: 'JWT', jwk },
    { alg: 'ES256', jwk },
    { alg: 'ES256', typ },
    { alg: 'ES256', typ, jwk, crit: ['x'] },
    { alg: 'ES256', typ, jwk, kid: 'x' },
    { alg: 'ES256', typ, jwk: { ...jwk, d } },
    { alg: 'ES256', typ, jwk: { ...jwk, crv: 'P-384' } },
    { alg: 'ES256', typ, jwk: { ...jwk, x: y, y: x } },
    { alg: 'ES256', typ, jwk: { ...jwk, x: `${x}=` } },
    { alg: 'ES256', typ, jwk: { kty, crv, x } },
    null,
    [],
  ]) {
    await assert.rejects(verify(forge(JSON.stringify(header), 'x', privateKey)), JwsError, JSON.stringify(header));
  }
  const spelled = JSON.stringify({ alg: 'ES256', typ, jwk }).replace('+jws', String.raw`\u002bjws`);
  await assert.rejects(verify(forge(spelled, 'x', privateKey)), JwsError);
  const twice = JSON.stringify({ alg: 'ES256', typ, jwk }).replace('{', '{"alg":"none",');
  await assert.rejects(verify(forge(twice, 'x', privateKey)), JwsError);
  await assert.rejects(verify(forge(JSON.stringify({ alg: 'ES256', typ, jwk }) + ' '.repeat(1000), 'x', privateKey)), JwsError);
});

test('a signature of one kind passes for no other', async () => {
  const me = await someone();
  const grant = await sign(me, 'x', 'sightline-grant+jwt');
  assert.equal((await verify(grant, 'sightline-grant+jwt')).from, me.peerId);
  await assert.rejects(verify(grant), JwsError);
  await assert.rejects(verify(grant, 'sightline-invite+jwt'), JwsError);
  await assert.rejects(verify(await sign(me, 'x'), 'sightline-grant+jwt'), JwsError);
});

test('what is no JWS is refused', async () => {
  for (const text of ['', '.', '..', 'a.b', 'a.b.c.d', 'a.b.c', 'x'.repeat(maxCompactLength + 1), null, 7]) {
    await assert.rejects(verify(text), JwsError);
  }
});

test('a payload that makes the message too long is not signed', async () => {
  await assert.rejects(sign(await someone(), 'x'.repeat(maxCompactLength)), JwsError);
});

test('the vector that the Go side is tested with holds here too', async () => {
  const vector = JSON.parse(readFileSync(new URL('../../internal/identity/testdata/webcrypto.json', import.meta.url), 'utf8'));
  assert.deepEqual(await verify(vector.jws), { payload: vector.payload, from: vector.peerID });
  assert.equal(await peerIdOf(fromBase64Url(vector.point), crypto.subtle), vector.peerID);
});
