import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readAddress, writeAddress, writeClaim } from '../static/address.js';
import { groupPeerId, parsePeerId } from '../static/peerid.js';
import { forget, listRecent, remember } from '../static/recent.js';

const peer = `${'abcd2345'.repeat(6)}xyza`;
const other = `${'zzzz7777'.repeat(6)}xyzq`;

test('an address names an agent and perhaps a camera', () => {
  const nothing = { peer: null, malformed: false, camera: '', claim: null, brokenClaim: false };
  assert.deepEqual(readAddress(`#peer=${peer}&camera=front`), { ...nothing, peer, camera: 'front' });
  assert.deepEqual(readAddress(writeAddress(peer, 'a-b_1')), { ...nothing, peer, camera: 'a-b_1' });
  assert.deepEqual(readAddress(writeAddress(peer)), { ...nothing, peer });
  for (const empty of ['', '#', writeAddress(null)]) assert.deepEqual(readAddress(empty), nothing);
  assert.deepEqual(readAddress('#peer=abc&camera=../x'), { ...nothing, malformed: true });
});

test('a link may carry a secret that gives access', () => {
  const secret = 'AAECAwQFBgcICQoLDA0ODw';
  const jti = 'EBESExQVFhcYGRobHB0eHw';
  for (const claim of [{ kind: 'pair', invite: '', secret }, { kind: 'invite', invite: jti, secret }]) {
    const place = readAddress(writeClaim(peer, claim));
    assert.deepEqual([place.peer, place.claim, place.brokenClaim], [peer, claim, false]);
  }
  const broken = [`pair=`, `pair=${secret.slice(1)}`, `pair=${secret}=`, `pair=${secret.slice(0, -1)}x`, `invite=${jti}`,
    `invite=${jti}.${secret}.x`, `invite=.${secret}`, `pair=${secret}&invite=${jti}.${secret}`];
  for (const text of broken) {
    const place = readAddress(`#peer=${peer}&${text}`);
    assert.deepEqual([place.claim, place.brokenClaim], [null, true], text);
  }
  assert.deepEqual(readAddress(`#peer=abc&pair=${secret}`).claim, null);
});

test('an ID is read as people paste it', () => {
  const grouped = groupPeerId(peer);
  for (const text of [peer, grouped, ` ${grouped.toUpperCase()}\n`, `https://cam.example/#peer=${peer}`, `#camera=x&peer=${peer}`]) {
    assert.equal(parsePeerId(text), peer, text);
  }
  // The last character carries one bit only, and 0, 1, 8, 9 are no base32.
  for (const text of ['', 'abc', `${peer}a`, `${peer.slice(0, 51)}b`, `0${peer.slice(1)}`, `https://cam.example/${peer}`]) {
    assert.equal(parsePeerId(text), null, text);
  }
});

test('agents are remembered newest first, and forgotten', () => {
  const items = new Map();
  const storage = { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value) };
  remember(peer, ['Front door'], storage, 1);
  remember(other, [], storage, 2);
  remember(peer, ['Front door', 'Garden'], storage, 3);
  assert.deepEqual(listRecent(storage), [
    { peer, cameras: ['Front door', 'Garden'], seenMs: 3 },
    { peer: other, cameras: [], seenMs: 2 },
  ]);
  forget(peer, storage);
  assert.deepEqual(listRecent(storage).map((entry) => entry.peer), [other]);
});

test('a spoilt memory is an empty one', () => {
  for (const text of ['{', 'null', '{}', '[1, null, {"peer":"x"}]', `[{"peer":"${peer}","seenMs":1,"cameras":[7]}]`]) {
    assert.deepEqual(listRecent({ getItem: () => text }), []);
  }
  const refusing = { getItem: () => { throw new Error('SecurityError'); }, setItem: () => { throw new Error('QuotaExceeded'); } };
  assert.deepEqual(listRecent(refusing), []);
  remember(peer, [], refusing);
});
