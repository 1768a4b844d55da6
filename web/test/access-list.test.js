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
    'of a publisher with a password': says({ publishers: [{ ...publisher(camera), signal: 'wss://a:b@x/' }] }),
    'that revokes an owner': says({ revoked: [peer(ada)] }),
    'that revokes a thing twice': says({ revoked: [peer(eve), peer(eve)] }),
    'that revokes a grant by a peer’s id': says({ revoked: [{ ...peer(eve), kind: 'grant' }] }),
    'that revokes too much': says({ revoked: Array.from({ length: 513 }, () => grant()) }),
    'with more': says({ more: 1 }),
    'that is null': says('null'),
  };
  for (const [name, compact] of Object.entries(bad)) await assert.rejects(parseList(await compact), AccessListError, name);
  const signal = 'wss://cam.example/v1/signal';
  await parseList(await says({ publishers: [{ ...publisher(camera), signal }] }));
});

test('without a fork the newest list counts, and the next one follows it', async () => {
  const one = await after(null, ada);
  const two = await after(one, ben, { revoked: [grant()] });
  const three = await after(two, ada, { revoked: [] });
  for (const lists of [[one, two, three], [three, one, two]]) {
    const fork = judge(lists);
    assert.deepEqual([fork.inForce, fork.others, fork.settled, fork.gone.size], [three, [], [], 0]);
    const next = nextList(fork, [], now);
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
  const next = nextList(fork, [], now);
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
  const next = nextList(judge([one, two, other, later]), [], now);
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
  const next = nextList(fork, [], now);
  assert.deepEqual(ids(next.owners), [ada.peerId, ben.peerId]);
  const joined = await signList(ada, next);
  const again = await after(joined, ada, { owners: [...joined.list.owners, owner(cleo)] });
  const back = judge([one, other, later, joined, again]);
  assert.deepEqual([back.inForce, back.others, ids(nextList(back, [], now).owners)], [again, [], ids(again.list.owners)]);
});

test('of two who took each other out the senior one stays', async () => {
  const one = await after(null, ada);
  const byAda = await after(one, ada, without(one, ben));
  const byBen = await after(one, ben, without(one, ada));
  const more = await after(byBen, ben, {});
  for (const lists of [[one, byAda, byBen], [one, byBen, byAda, more]]) {
    const fork = judge(lists);
    assert.equal(fork.inForce, byAda);
    assert.deepEqual(ids(nextList(fork, [], now).owners), [ada.peerId, cleo.peerId]);
  }
  // Also when another owner has signed since.
  const byCleo = await after(byAda, cleo, {});
  assert.deepEqual(ids(nextList(judge([one, byAda, byBen, more, byCleo]), [], now).owners), [ada.peerId, cleo.peerId]);
});

test('an owner who was taken out can take away, but not give', async () => {
  const one = await after(null, ada);
  const two = await after(one, ada, without(one, ben));
  const lost = grant();
  let forged = one;
  for (let i = 0; i < 5; i++) forged = await after(forged, ben, { owners: [owner(ada), owner(cleo), owner(eve)], revoked: [lost] });
  const fork = judge([one, two, forged]);
  assert.equal(fork.inForce, two);
  const next = nextList(fork, [], now);
  assert.deepEqual(ids(next.owners), [ada.peerId, cleo.peerId]);
  assert.equal(next.revoked.some(({ id }) => id === lost.id), true);
  // Following the list that took him out does not undo it.
  const onTop = await after(two, ben, { owners: [owner(ada), owner(eve)], revoked: [] });
  assert.equal(judge([one, two, onTop]).inForce, two);
  // Once joined it is over, however high his version is.
  const joined = await signList(ada, next);
  assert.deepEqual(judge([one, two, forged, joined]).others, []);
});

test('what publishers carry is taken in, except against owners who stay', async () => {
  const one = await after(null, ada);
  const [a, lapsed] = [grant(), grant(undefined, now - 1)];
  const next = nextList(judge([one]), [a, lapsed, peer(ben), peer(eve)], now);
  assert.deepEqual(ids(next.revoked), [a.id, eve.peerId]);
  assert.equal(next.owners.length, 3);
});

test('a revocation stays as long as the longest of them', async () => {
  const id = token();
  const one = await after(null, ada, { revoked: [grant(id, now + 5)] });
  assert.deepEqual(nextList(judge([one]), [grant(id, now + 9), grant(id, now + 7)], now).revoked, [grant(id, now + 9)]);
  assert.deepEqual(nextList(judge([one]), [grant(id, 0), grant(id, now + 7)], now).revoked, [grant(id, 0)]);
});

test('a list by nobody who is known as an owner does not belong', async () => {
  const one = await after(null, ada);
  assert.equal(mayBelong([one], await after(one, cleo)), true);
  assert.equal(mayBelong([one], await after(one, eve)), false);
  assert.equal(mayBelong([one], one), true);
});

test('what does not fit is not signed, and the reason is a sentence', async () => {
  await assert.rejects(after(null, ada, { revoked: Array.from({ length: 513 }, () => grant()) }), /At most 512 grants/);
  await assert.rejects(after(null, ada, { owners: Array.from({ length: 17 }, () => owner(ada)) }), /at most 16 owners/);
});
