import { test } from 'node:test';
import assert from 'node:assert/strict';
import { judge, mayBelong, nextList } from '../static/access-fork.js';
import { AccessListError, parseList, signList } from '../static/access-list.js';
import { sign } from '../static/jws.js';
import { someone } from './someone.js';

const now = 1_800_000_000;
const token = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
const home = token();
const [ada, ben, cleo, eve, camera, recorder] = await Promise.all(Array.from({ length: 6 }, someone));
const owner = ({ peerId }, name = '') => ({ id: peerId, name, device: '' });
const publisher = ({ peerId }, kind = 'agent') => ({ id: peerId, name: '', kind, signal: '' });
const grant = (id = token(), exp = 0) => ({ kind: 'grant', id, exp, time: now });
const peer = ({ peerId }) => ({ kind: 'peer', id: peerId, exp: 0, time: now });

/** A list that follows another one. */
function after(before, by, changes = {}) {
  const { version = 0, owners = [owner(ada), owner(ben), owner(cleo)], publishers = [publisher(camera)], revoked = [] } = before?.list ?? {};
  return signList(by, { home, version: version + 1, previous: before?.hash ?? '', time: now, owners, publishers, revoked, ...changes });
}
const ids = (entries) => entries.map(({ id }) => id);
/** Owners without those who are taken out, and revoked with them. */
const without = (list, ...gone) => ({
  owners: list.list.owners.filter(({ id }) => !gone.some(({ peerId }) => peerId === id)),
  revoked: [...list.list.revoked, ...gone.map(peer)],
});

test('a list is read as it was signed', async () => {
  const signed = await after(null, ada, { revoked: [grant(), peer(eve)] });
  assert.deepEqual(await parseList(signed.compact), signed);
  assert.equal(signed.signer, ada.peerId);
});

test('a list that is none is refused', async () => {
  const { list } = await after(null, ada);
  const says = (changes, type = 'sightline-access+jws') =>
    sign(ada, typeof changes === 'string' ? changes : JSON.stringify({ ...list, ...changes }), type);
  await parseList(await says({}));
  const bad = {
    'of another type': says({}, 'sightline-jws'),
    'that says it is something else': says({ type: 'offer' }),
    'without owners': says({ owners: [] }),
    'with an owner twice': says({ owners: [owner(ada), owner(ada)] }),
    'with too many owners': says({ owners: Array.from({ length: 17 }, () => owner(ada)) }),
    'of version 0': says({ version: 0 }),
    'of version 2 that follows nothing': says({ version: 2 }),
    'of version 1 that follows something': says({ previous: list.home }),
    'of a publisher that is a toaster': says({ publishers: [publisher(camera, 'toaster')] }),
    'of a publisher elsewhere': says({ publishers: [{ ...publisher(camera), signal: 'https://x' }] }),
    'with half a character': says(JSON.stringify({ ...list, owners: [owner(ada, 'X')] }).replace('"X"', String.raw`"\ud800"`)),
    'that revokes an owner': says({ revoked: [peer(ada)] }),
    'that revokes a thing twice': says({ revoked: [peer(eve), peer(eve)] }),
    'that revokes a grant by a peer’s id': says({ revoked: [{ ...peer(eve), kind: 'grant' }] }),
    'that revokes too much': says({ revoked: Array.from({ length: 401 }, () => grant()) }),
    'with more': says({ more: 1 }),
    'that is null': says('null'),
  };
  for (const [name, compact] of Object.entries(bad)) await assert.rejects(parseList(await compact), AccessListError, name);
  const withSignal = async (signal) => parseList(await says({ publishers: [{ ...publisher(camera), signal }] }));
  for (const good of ['wss://cam.example', 'ws://127.0.0.1:8080/', 'wss://[::1]:1', 'wss://xn--a/', 'wss://1.2.3.4.5/']) await withSignal(good);
  const wrong = ['wss://a:b@x/', 'https://x', 'wss://a:99999', 'wss://a:0', 'wss://cam.example/v1/signal', 'WSS://a', 'wss://A', 'wss://a?b', `wss://${'a'.repeat(251)}`];
  for (const each of wrong) await assert.rejects(withSignal(each), AccessListError, each);
});

test('without a fork the newest list counts, and the next one follows it', async () => {
  const one = await after(null, ada);
  const two = await after(one, ben, { revoked: [grant()] });
  const three = await after(two, ada, { revoked: [] });
  for (const lists of [[one, two, three], [three, one, two]]) {
    const fork = judge(lists);
    assert.deepEqual([fork.inForce, fork.others, fork.settled, fork.gone.size], [three, [], [], 0]);
    const next = nextList(fork, now);
    // What the third list gave back stays given back.
    assert.deepEqual([next.version, next.previous, next.revoked], [4, three.hash, []]);
  }
});

test('a fork is joined: what either end took away is gone, what either gave is there', async () => {
  const one = await after(null, ada);
  const [a, b] = [grant(), grant()];
  const left = await after(one, ben, { revoked: [a], publishers: [publisher(camera), publisher(recorder, 'recorder')] });
  const right = await after(one, ada, { revoked: [b], owners: [...one.list.owners, owner(eve)] });
  const fork = judge([one, left, right]);
  assert.equal(fork.inForce, right, 'of two of one version the more senior signer’s counts');
  const next = nextList(fork, now);
  assert.deepEqual(ids(next.revoked).sort(), [a.id, b.id].sort());
  assert.deepEqual(ids(next.owners), ids([...one.list.owners, owner(eve)]));
  assert.deepEqual(ids(next.publishers), [camera.peerId, recorder.peerId]);
  const joined = await signList(cleo, next);
  assert.deepEqual(judge([one, left, right, joined]), { inForce: joined, others: [], settled: [left], gone: new Set() });
});

test('an owner whom either end took out is one no more', async () => {
  const one = await after(null, ada);
  const two = await after(one, ada, without(one, cleo));
  const other = await after(one, ben, { revoked: [grant()] });
  const later = await after(other, ben, {});
  const next = nextList(judge([one, two, other, later]), now);
  assert.deepEqual(ids(next.owners), [ada.peerId, ben.peerId]);
  assert.equal(next.revoked.some(({ id }) => id === cleo.peerId), true);
});

test('an owner who is left out without a word is out as well, and may come back', async () => {
  const one = await after(null, ada);
  const two = await after(one, ada, { owners: [owner(ada), owner(ben)] });
  const other = await after(one, ben, {});
  const later = await after(other, ben, {});
  const fork = judge([one, two, other, later]);
  assert.deepEqual([fork.inForce, fork.others], [later, [two]]);
  const next = nextList(fork, now);
  assert.deepEqual(ids(next.owners), [ada.peerId, ben.peerId]);
  const joined = await signList(ada, next);
  const again = await after(joined, ada, { owners: [...joined.list.owners, owner(cleo)] });
  const back = judge([one, other, later, joined, again]);
  assert.deepEqual([back.inForce, back.others, ids(nextList(back, now).owners)], [again, [], ids(again.list.owners)]);
});

test('of two who took each other out the senior one stays', async () => {
  const one = await after(null, ada);
  const byAda = await after(one, ada, without(one, ben));
  const byBen = await after(one, ben, without(one, ada));
  const more = await after(byBen, ben, {});
  for (const lists of [[one, byAda, byBen], [one, byBen, byAda, more]]) {
    const fork = judge(lists);
    assert.equal(fork.inForce, byAda);
    assert.deepEqual(ids(nextList(fork, now).owners), [ada.peerId, cleo.peerId]);
  }
  // Also when another owner has signed since.
  const byCleo = await after(byAda, cleo, {});
  assert.deepEqual(ids(nextList(judge([one, byAda, byBen, more, byCleo]), now).owners), [ada.peerId, cleo.peerId]);
});

test('what an owner signs who was taken out by a senior one counts for nothing, whenever that was', async () => {
  const one = await after(null, ada);
  const two = await after(one, ada, without(one, ben));
  const lost = grant();
  let forged = one;
  const line = [];
  for (let i = 0; i < 5; i++) line.push((forged = await after(forged, ben, { owners: [owner(ada), owner(eve)], revoked: [lost, peer(cleo)] })));
  for (const lists of [[one, two, forged], [one, ...line, two]]) {
    const fork = judge(lists);
    assert.deepEqual([fork.inForce, fork.others, [...fork.gone]], [two, [], [ben.peerId]]);
    const next = nextList(fork, now);
    assert.deepEqual(ids(next.owners), [ada.peerId, cleo.peerId]);
    assert.deepEqual(ids(next.revoked), [ben.peerId]);
  }
  // Following the list that took him out does not undo it.
  const onTop = await after(two, ben, { owners: [owner(ada), owner(eve)], revoked: [] });
  assert.equal(judge([one, two, onTop]).inForce, two);
  // A junior owner who takes out a senior one, who knew nothing of it, ends nothing that was taken away meanwhile.
  const byBen = await after(one, ben, without(one, ada));
  const byAda = await after(one, ada, { revoked: [lost] });
  assert.equal(nextList(judge([one, byBen, byAda]), now).revoked.some(({ id }) => id === lost.id), true);
});

test('nobody becomes senior by the order of a list', async () => {
  const one = await after(null, ada);
  const two = await after(one, ben, { owners: [owner(ben), owner(ada), owner(cleo)] });
  assert.deepEqual([judge([one, two]).inForce, judge([one, two]).settled], [one, [two]]);
  // Nor by a first version that was made up later.
  const other = await after(null, ben, { owners: [owner(ben), owner(ada)], time: now + 9 });
  const byBen = await after(one, ben, without(one, ada));
  const byAda = await after(one, ada, without(one, ben));
  for (const lists of [[one, other, byAda, byBen], [other, one, byBen, byAda]]) assert.equal(judge(lists, one).inForce, byAda);
});

test('a device that either end took off the list is off', async () => {
  const one = await after(null, ada, { publishers: [publisher(camera), publisher(recorder)] });
  const left = await after(one, ada, { publishers: [publisher(camera)], revoked: [peer(recorder)] });
  const right = await after(one, ben, { revoked: [grant()] });
  for (const lists of [[one, left, right], [one, right, left, await after(right, cleo)]]) {
    assert.deepEqual(ids(nextList(judge(lists), now).publishers), [camera.peerId]);
  }
});

test('a signature that was made of another one makes no other list', async () => {
  const { compact, hash } = await after(null, ada);
  const parts = compact.split('.');
  const bytes = Buffer.from(parts[2], 'base64url');
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const other = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  parts[2] = Buffer.concat([bytes.subarray(0, 32), Buffer.from(other.toString(16).padStart(64, '0'), 'hex')]).toString('base64url');
  assert.notEqual(parts.join('.'), compact);
  assert.equal((await parseList(parts.join('.'))).hash, hash);
});

test('a revocation stays as long as the longest of them', async () => {
  const id = token();
  const one = await after(null, ada);
  const by = async (who, exp) => after(one, who, { revoked: [grant(id, exp), grant(undefined, now - 1)] });
  assert.deepEqual(nextList(judge([one, await by(ada, now + 5), await by(ben, now + 9)]), now).revoked, [grant(id, now + 9)]);
  assert.deepEqual(nextList(judge([one, await by(ada, 0), await by(ben, now + 7)]), now).revoked, [grant(id, 0)]);
});

test('a list by nobody who is known as an owner does not belong', async () => {
  const one = await after(null, ada);
  assert.equal(mayBelong([one], await after(one, cleo)), true);
  assert.equal(mayBelong([one], await after(one, eve)), false);
  assert.equal(mayBelong([one], one), true);
});

test('what does not fit is not signed, and the reason is a sentence', async () => {
  await assert.rejects(after(null, ada, { revoked: Array.from({ length: 401 }, () => grant()) }), /At most 400 grants/);
  await assert.rejects(after(null, ada, { owners: Array.from({ length: 17 }, () => owner(ada)) }), /at most 16 owners/);
});
