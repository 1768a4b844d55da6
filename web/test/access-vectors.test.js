import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseList, signList } from '../static/access-list.js';
import { claimProof } from '../static/claim.js';
import { decodeText, sha256 } from '../static/encoding.js';
import { fromKeyPairs, newKeyPairs } from '../static/identity.js';
import { isWithin, parseGrant, parseInvite, signGrant, signInvite } from '../static/tokens.js';

/** Made by the Go side, which is tested with them too. */
const vectors = JSON.parse(readFileSync(new URL('../../internal/access/testdata/vectors.json', import.meta.url), 'utf8'));

async function signer({ d, x, y }) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  const privateKey = await crypto.subtle.importKey('jwk', { ...jwk, d }, algorithm, false, ['sign']);
  const publicKey = await crypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify']);
  return fromKeyPairs({ ...(await newKeyPairs(crypto.subtle)), self: { privateKey, publicKey } }, crypto.subtle, true);
}

const payloadOf = (compact) => decodeText(compact.split('.')[1]);

/** What is read of a vector says what it says, and signed again here it is the same, byte for byte. */
async function both({ payload, compact, hash }, read, sign) {
  assert.equal(await sha256(compact.slice(0, compact.lastIndexOf('.'))), hash);
  const { chain, list, ...token } = await read(compact);
  const value = list ?? token;
  assert.deepEqual(value, JSON.parse(payload));
  const by = await signer(Object.values(vectors.keys).find(({ peer }) => peer === (value.iss ?? vectors.keys.owner.peer)));
  const again = await sign(by, value);
  assert.equal(payloadOf(again.compact ?? again), payload);
  return read(again.compact ?? again);
}

test('grants and invites are the same on both sides', async () => {
  await both(vectors.grant, parseGrant, signGrant);
  await both(vectors.invite, parseInvite, signInvite);
  const { chain } = await both(vectors.redeemed, parseGrant, signGrant);
  assert.equal(chain.at(-1).invite.jti, JSON.parse(vectors.invite.payload).jti);
});

test('access lists are the same on both sides', async () => {
  const first = await both(vectors.list, parseList, signList);
  const next = await both(vectors.next, parseList, signList);
  assert.deepEqual([first.signer, next.signer], [vectors.keys.owner.peer, vectors.keys.owner.peer]);
  assert.deepEqual([(await parseList(vectors.list.compact)).hash, next.list.previous], [vectors.list.hash, vectors.list.hash]);
});

test('proofs are the same on both sides', async () => {
  for (const { kind, side, transcript, viewer, publisher, proof } of vectors.proofs) {
    assert.equal(await claimProof(vectors.secret, side, { kind, transcript, viewer, publisher }), proof);
  }
});

test('what is within what is the same on both sides', () => {
  for (const { child, parent, within } of vectors.scopes) {
    assert.equal(isWithin(child, parent), within, JSON.stringify({ child, parent }));
  }
});

test('addresses of signaling services are the same on both sides', async () => {
  const { list } = await parseList(vectors.list.compact);
  const by = await signer(vectors.keys.owner);
  for (const [signal, good] of Object.entries(vectors.signals)) {
    const publishers = list.publishers.map((each) => ({ ...each, signal }));
    assert.equal(await signList(by, { ...list, publishers }).then(() => true, () => false), good, signal);
  }
});
