import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createCipheriv, createECDH, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fromBase64Url } from '../static/encoding.js';
import { fromKeyPairs, newKeyPairs } from '../static/identity.js';
import { importAgreementPoint, JweError, maxSealedLength, unseal } from '../static/jwe.js';
import { keyStatement, KeyStatementError, maxStatementLength, openKeyStatement } from '../static/keys.js';
import { sign } from '../static/jws.js';
import { sealTo, someone } from './someone.js';

const text = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Seals with node's own cryptography, with any header. */
function forge(to, plaintext, change = (header) => header) {
  const ecdh = createECDH('prime256v1');
  const point = ecdh.generateKeys();
  const epk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
  const header = text(change({ alg: 'ECDH-ES', enc: 'A256GCM', typ: 'sightline+jwe', epk }));
  const number = (n) => Buffer.from([0, 0, n >> 8, n & 255]);
  const secret = ecdh.computeSecret(Buffer.from(to.agreementKey, 'base64url'));
  const input = Buffer.concat([number(1), secret, number(7), Buffer.from('A256GCM'), number(0), number(0), number(256)]);
  const iv = Buffer.alloc(12, 7);
  const cipher = createCipheriv('aes-256-gcm', createHash('sha256').update(input).digest(), iv).setAAD(Buffer.from(header));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return [header, '', iv.toString('base64url'), sealed.toString('base64url'), cipher.getAuthTag().toString('base64url')].join('.');
}

test('what is sealed here and elsewhere is read here, by its receiver only', async () => {
  const [me, other] = await Promise.all([someone(), someone()]);
  for (const sealed of [await sealTo(me, 'Grüße'), forge(me, 'Grüße')]) {
    assert.equal(await unseal(me, sealed), 'Grüße');
    await assert.rejects(unseal(other, sealed), JweError);
  }
  assert.notEqual(await sealTo(me, 'x'), await sealTo(me, 'x'));
});

test('the vector that the Go side is tested with holds here too', async () => {
  const vector = JSON.parse(readFileSync(new URL('../../internal/identity/testdata/jwe.json', import.meta.url), 'utf8'));
  const privateKey = await crypto.subtle.importKey('jwk', vector.receiver, { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  const publicKey = await importAgreementPoint(fromBase64Url(vector.agreementKey));
  const me = await fromKeyPairs({ ...(await newKeyPairs(crypto.subtle)), agreement: { privateKey, publicKey } }, crypto.subtle, true);
  assert.equal(me.agreementKey, vector.agreementKey);
  assert.equal(await unseal(me, vector.compact), vector.plaintext);
});

test('a sealed message with any character changed is refused', async () => {
  const me = await someone();
  const sealed = await sealTo(me, 'payload');
  for (let i = 0; i < sealed.length; i++) {
    const other = sealed[i] === 'A' ? 'B' : 'A';
    await assert.rejects(unseal(me, sealed.slice(0, i) + other + sealed.slice(i + 1)), JweError, `at ${i}`);
  }
});

test('any other form than ours is refused, however well sealed', async () => {
  const me = await someone();
  await unseal(me, forge(me, 'x', ({ alg, enc, typ, epk }) => ({ epk, typ, enc, alg })));
  const bad = {
    'another algorithm': (h) => ({ ...h, alg: 'ECDH-ES+A128KW' }),
    'a weaker content': (h) => ({ ...h, enc: 'A128GCM' }),
    'another type': (h) => ({ ...h, typ: 'JWE' }),
    'without a type': ({ typ, ...h }) => h,
    'compressed': (h) => ({ ...h, zip: 'DEF' }),
    'critical': (h) => ({ ...h, crit: ['x'] }),
    'with party info': (h) => ({ ...h, apu: 'QQ' }),
    'a private key': (h) => ({ ...h, epk: { ...h.epk, d: h.epk.x } }),
    'another curve': (h) => ({ ...h, epk: { ...h.epk, crv: 'P-384' } }),
    'not on the curve': (h) => ({ ...h, epk: { ...h.epk, x: h.epk.y, y: h.epk.x } }),
    'short': (h) => ({ ...h, epk: { ...h.epk, x: 'AA' } }),
    'a number': (h) => ({ ...h, epk: { ...h.epk, x: 7 } }),
    'no key': ({ epk, ...h }) => h,
    'null': () => 'null',
    'an array': () => '[]',
    'a name twice': (h) => JSON.stringify(h).replace('{', '{"alg":"none",'),
  };
  for (const [name, change] of Object.entries(bad)) await assert.rejects(unseal(me, forge(me, 'x', change)), JweError, name);
  const [header, , iv, sealed, tag] = forge(me, 'x').split('.');
  const shapes = ['', '....', `${header}.AA.${iv}.${sealed}.${tag}`, `${header}..${iv}.${sealed}`, `${header}..${iv}.${sealed}.${tag}.`,
    `${header}..${iv.slice(0, -4)}.${sealed}.${tag}`, `${header}..${iv}.${sealed}.${tag.slice(0, -6)}`, `${header}..${iv}.${sealed}.${tag}=`,
    `${text({ pad: 'x'.repeat(2000) })}..${iv}.${sealed}.${tag}`, 'x'.repeat(maxSealedLength + 1), null, 7];
  for (const shape of shapes) await assert.rejects(unseal(me, shape), JweError, String(shape).slice(0, 80));
});

test('what is signed and not sealed is refused', async () => {
  const me = await someone();
  await assert.rejects(unseal(me, await sign(me, 'x')), JweError);
});

test('what is too long is not sealed', async () => {
  await assert.rejects(sealTo(await someone(), 'x'.repeat(maxSealedLength)), JweError);
});

test('a key statement is believed of the peer that signed it only', async () => {
  const [agent, other] = await Promise.all([someone(), someone()]);
  const good = await keyStatement(agent);
  assert.equal((await openKeyStatement(good, agent.peerId)).text, agent.agreementKey);
  const { peerId: id, agreementKey: agreement } = agent;
  const statement = { type: 'keys', id, agreement };
  const says = (identity, payload) => sign(identity, typeof payload === 'string' ? payload : JSON.stringify(payload));
  const swapped = Buffer.from(agreement, 'base64url');
  swapped[64] ^= 1;
  const bad = {
    'another peer’s': keyStatement(other),
    'signed by another': says(other, statement),
    'of another': says(agent, { ...statement, id: other.peerId }),
    'of another type': says(agent, { ...statement, type: 'offer' }),
    'with more in it': says(agent, { ...statement, more: 1 }),
    'without a key': says(agent, { type: 'keys', id }),
    'with a key that is not on the curve': says(agent, { ...statement, agreement: swapped.toString('base64url') }),
    'with a short key': says(agent, { ...statement, agreement: agreement.slice(0, -4) }),
    'saying a thing twice': says(agent, JSON.stringify(statement).replace('{', `{"agreement":"${other.agreementKey}",`)),
    'null': says(agent, 'null'),
    'too long': says(agent, { ...statement, more: 'x'.repeat(maxStatementLength) }),
    'cut': Promise.resolve(good.slice(0, -4)),
    'nothing': Promise.resolve(''),
    'no text': Promise.resolve(7),
  };
  for (const [name, compact] of Object.entries(bad)) {
    await assert.rejects(openKeyStatement(await compact, id), KeyStatementError, name);
  }
});
