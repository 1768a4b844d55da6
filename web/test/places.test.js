import { test } from 'node:test';
import assert from 'node:assert/strict';
import { randomToken } from '../static/encoding.js';
import { Passes } from '../static/passes.js';
import { learnPlaces, placeOf } from '../static/places.js';
import { newInviteSecret, signGrant, signInvite } from '../static/tokens.js';
import { Vault } from '../static/vault.js';
import { FakeIndexedDB } from './fake-indexeddb.js';
import { someone } from './someone.js';

const now = 1_800_000_000;
const [me, agent, recorder, elsewhere, owner] = await Promise.all([someone(), someone(), someone(), someone(), someone()]);
const home = randomToken(16);

/** A guest of agent, who proved the secret of an invite there. */
async function guest(cameras, { proved = true } = {}) {
  const vault = new Vault(new FakeIndexedDB());
  const passes = new Passes(vault, me.peerId, () => now * 1000);
  const { commit, jti } = await newInviteSecret();
  const base = { aud: home, rights: ['live'], cameras, pass: false, name: 'Ben', owner: false };
  const prf = await signInvite(owner, { ...base, jti, iat: now, exp: now + 86_400, redeemer: agent.peerId, commit, grantExp: 0, prf: '' });
  const compact = await signGrant(agent, { ...base, sub: me.peerId, jti: randomToken(16), iat: now, exp: 0, device: 'Phone', prf });
  await passes.add(agent.peerId, compact);
  if (proved) await vault.update(`places/${agent.peerId}`, () => home);
  return { vault, passes, compact };
}

const says = (places, changes = {}) => ({ role: 'guest', home, places: places.map(({ peerId }) => ({ id: peerId, name: '' })), ...changes });

test('a guest of a whole home shows the grant at its other devices', async () => {
  const { vault, passes, compact } = await guest(['*']);
  assert.deepEqual(await passes.forOffer(recorder.peerId, await placeOf(vault, recorder.peerId)), []);
  await learnPlaces(vault, passes, agent.peerId, says([recorder]));
  assert.equal(await placeOf(vault, recorder.peerId), home);
  assert.deepEqual(await passes.forOffer(recorder.peerId, await placeOf(vault, recorder.peerId)), [compact]);
});

test('what others say about their home is not believed', async () => {
  const known = await guest(['*']);
  await known.vault.update(`places/${elsewhere.peerId}`, () => 'another home');
  await learnPlaces(known.vault, known.passes, agent.peerId, says([elsewhere, { peerId: 'no id' }]));
  assert.equal(await placeOf(known.vault, elsewhere.peerId), 'another home');

  const cases = [
    [await guest(['*']), elsewhere.peerId, says([recorder]), 'somebody who gave nothing'],
    [await guest(['*'], { proved: false }), agent.peerId, says([recorder]), 'a home that was never proved'],
    [await guest(['*']), agent.peerId, says([recorder], { home: randomToken(16) }), 'another home'],
    [await guest(['*']), agent.peerId, says([recorder], { role: 'open' }), 'an open agent'],
    [await guest([`${agent.peerId}/*`]), agent.peerId, says([recorder]), 'a grant for one device'],
  ];
  for (const [{ vault, passes }, peer, me, why] of cases) {
    await learnPlaces(vault, passes, peer, me);
    assert.equal(await placeOf(vault, recorder.peerId), '', why);
  }
});
