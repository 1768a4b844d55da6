import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomToken } from '../static/encoding.js';
import { Passes } from '../static/passes.js';
import { newInviteSecret, parseGrant, signGrant, signInvite } from '../static/tokens.js';
import { Vault } from '../static/vault.js';
import { FakeIndexedDB } from './fake-indexeddb.js';
import { someone } from './someone.js';

const now = 1_800_000_000;
const [me, publisher, owner] = await Promise.all([someone(), someone(), someone()]);
const home = randomToken(16);

async function given(passes, cameras, iat, rights = ['live', 'events']) {
  const { commit, jti } = await newInviteSecret();
  const base = { aud: home, rights, cameras, pass: false, name: 'Ben', owner: false };
  const prf = await signInvite(owner, { ...base, jti, iat: now, exp: now + 86_400, redeemer: publisher.peerId, commit, grantExp: 0, prf: '' });
  const compact = await signGrant(publisher, { ...base, sub: me.peerId, jti: randomToken(16), iat, exp: 0, device: 'Phone', prf });
  await passes.add(publisher.peerId, compact);
  return compact;
}

const make = () => new Passes(new Vault(new FakeIndexedDB()), me.peerId, () => now * 1000);
const camera = (id) => `${publisher.peerId}/${id}`;

test('an offer has no more grants than agents take', async () => {
  const passes = make();
  for (const [i, id] of ['front', 'back', 'garden', 'garage', 'gate'].entries()) await given(passes, [camera(id)], now + i);
  const offered = await passes.forOffer(publisher.peerId, '');
  assert.ok(offered.reduce((sum, { length }) => sum + length, 0) <= 6144);
  assert.deepEqual((await parseGrant(offered[0])).cameras, [camera('gate')], 'the newest first');
});

test('a grant that a newer one covers makes room for others', async () => {
  const passes = make();
  const other = await given(passes, [camera('garden')], now, ['ptz']);
  const covered = await given(passes, [camera('front')], now + 1);
  const more = await given(passes, [camera('front'), camera('back')], now + 2);
  const same = await given(passes, [camera('front'), camera('back')], now + 2);
  const offered = await passes.forOffer(publisher.peerId, '');
  assert.deepEqual([[more, same].includes(offered[0]), offered[1]], [true, other]);
  assert.equal(offered.includes(covered), false);
});
