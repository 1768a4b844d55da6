import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isIceServers, toConfiguration, unexpired } from '../static/ice.js';

const stun = (...urls) => ({ urls: urls.map((url) => `stun:${url}`), username: '', credential: '', expires: 0 });
const turn = { urls: ['turn:r.example:3478', 'turns:r.example:443?transport=tcp'], username: 'u', credential: 'p', expires: 2000 };

test('servers that are none are refused, and no member is added', () => {
  assert.equal(isIceServers([]), true);
  assert.equal(isIceServers([stun('a:3478'), turn]), true);
  const bad = [
    null, {}, [null], Array(5).fill(stun('a')), [stun()], [stun('a', 'b', 'c', 'd', 'e')], [{ ...turn, urls: ['http://x'] }],
    [{ ...turn, urls: ['turn:'] }], [{ ...turn, urls: ['turn:a b'] }], [{ ...turn, username: 'x'.repeat(257) }],
    [{ ...turn, credential: 'a\n' }], [{ ...turn, expires: -1 }], [{ ...turn, expires: '1' }], [{ ...turn, extra: 1 }],
  ];
  for (const each of bad) assert.equal(isIceServers(each), false, JSON.stringify(each));
});

test('a credential that is about to end is not used', () => {
  assert.deepEqual(unexpired([stun('a'), turn], 1_960_000), [stun('a'), turn]);
  assert.deepEqual(unexpired([stun('a'), turn], 1_980_000), [stun('a')]);
});

test('a connection is given no URL twice, two for STUN, and TURN only with a name', () => {
  assert.deepEqual(toConfiguration([stun('a', 'b'), stun('c'), turn, stun('a'), { ...turn, username: '' }]), [
    { urls: ['stun:a', 'stun:b'] },
    { urls: turn.urls, username: 'u', credential: 'p' },
  ]);
  assert.deepEqual(toConfiguration([]), []);
});
