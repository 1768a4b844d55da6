import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { signList } from '../static/access-list.js';
import { readAddress } from '../static/address.js';
import { parseGrant, parseInvite } from '../static/tokens.js';
import { Trust, TrustError } from '../static/trust.js';
import { Vault } from '../static/vault.js';
import { FakeIndexedDB } from './fake-indexeddb.js';
import { connector, FakePublisher } from './fake-publisher.js';
import { someone } from './someone.js';

const now = 1_800_000_000_000;
const page = 'https://cam.example/';
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Signatures are made on other threads. */
const until = async (condition, what = String(condition)) => {
  for (const end = performance.now() + 60_000; performance.now() < end; await turn()) {
    if (condition()) return;
  }
  assert.fail(`never: ${what}`);
};
const ids = (entries) => entries.map(({ id }) => id);

/** A browser with its Trust; sessions with publishers are made by visit. */
async function browser(t, publishers, { indexedDB = new FakeIndexedDB() } = {}) {
  const identity = await someone();
  const { connect, opened } = connector(publishers);
  const signaling = { url: 'wss://cam.example/v1/signal' };
  const trust = new Trust({ identity, signaling, vault: new Vault(indexedDB), connect, now: () => now, page });
  t.after(() => trust.close());
  const pair = async (publisher, options) => {
    publisher.secret = 'AAECAwQFBgcICQoLDA0ODw';
    const claim = { kind: 'pair', invite: '', secret: publisher.secret };
    return trust.claim({ peer: publisher.peer, claim, name: 'Ada', device: 'Laptop', ...options });
  };
  const visit = async (publisher) => {
    const ended = new AbortController();
    const me = await trust.attach({ peer: publisher.peer, http: publisher.http(identity.peerId), ended: ended.signal });
    return { me, leave: () => ended.abort() };
  };
  /** Follows a link that another browser made. */
  const follow = (link, options) => {
    const { peer, claim } = readAddress(new URL(link).hash);
    return trust.claim({ peer, claim, name: 'Ben', device: 'Phone', ...options });
  };
  const own = async (publisher, options) => {
    await pair(publisher, options);
    await visit(publisher);
    await until(() => trust.state.value.access?.version > 0, 'a list');
  };
  return { identity, peer: identity.peerId, trust, opened, pair, visit, follow, own, state: () => trust.state.value };
}

test('pairing makes an owner, who signs the first access list', async (t) => {
  const agent = await FakePublisher.make();
  const ada = await browser(t, [agent]);
  const phases = [];
  agent.secret = 'AAECAwQFBgcICQoLDA0ODw';
  const claim = { kind: 'pair', invite: '', secret: agent.secret };
  const request = { peer: agent.peer, claim, name: ' Ada\n', device: 'Laptop' };
  assert.deepEqual(await ada.trust.claim(request, { onPhase: (phase) => phases.push(phase) }), { role: 'owner' });
  assert.deepEqual(phases, ['connecting', 'proving']);
  assert.deepEqual(ada.opened[0], { peer: agent.peer, standing: { claim: 'pair' }, cameras: [] });
  const { me } = await ada.visit(agent);
  assert.equal(me.role, 'owner');
  await until(() => ada.state().access?.publishers[0]?.state === 'has it');
  const { list, signer } = agent.list;
  assert.deepEqual([signer, list.version, list.previous], [ada.peer, 1, '']);
  assert.deepEqual(list.owners, [{ id: ada.peer, name: 'Ada', device: 'Laptop' }]);
  assert.deepEqual(list.publishers, [{ id: agent.peer, name: 'Front door and 1 more', kind: 'agent', signal: 'wss://cam.example' }]);
  assert.deepEqual(ada.state().access.owners, [{ id: ada.peer, name: 'Ada', device: 'Laptop', you: true, pending: false }]);
  assert.equal(ada.trust.me.home, list.home);
});

test('a wrong or used secret says so', async (t) => {
  const agent = await FakePublisher.make();
  const ada = await browser(t, [agent]);
  agent.secret = 'EBESExQVFhcYGRobHB0eHw';
  const claim = { kind: 'pair', invite: '', secret: 'AAECAwQFBgcICQoLDA0ODw' };
  await assert.rejects(ada.trust.claim({ peer: agent.peer, claim, name: '', device: '' }), { name: 'TrustError', code: 'wrong_proof' });
  agent.secret = '';
  await assert.rejects(ada.trust.claim({ peer: agent.peer, claim, name: '', device: '' }), { code: 'used' });
  agent.online = false;
  await assert.rejects(ada.trust.claim({ peer: agent.peer, claim, name: '', device: '' }), { code: 'unreachable' });
});

test('a second publisher joins the home, and the first one learns of it', async (t) => {
  const [camera, recorder, other] = await Promise.all([FakePublisher.make(), FakePublisher.make(), FakePublisher.make()]);
  const ada = await browser(t, [camera, recorder, other]);
  await ada.own(camera);
  await ada.own(recorder);
  await until(() => ada.state().access.publishers.length === 2 && ada.state().access.publishers.every(({ state }) => state === 'has it'));
  assert.deepEqual([camera.list.hash, camera.list.list.version], [recorder.list.hash, 2]);
  assert.deepEqual(ids(camera.list.list.publishers), [camera.peer, recorder.peer]);
  await ada.own(other, { home: 'new' });
  assert.notEqual(other.list.list.home, camera.list.list.home);
  assert.deepEqual(ids(other.list.list.publishers), [other.peer]);
});

test('an invite becomes a grant, which is shown from then on', async (t) => {
  const agent = await FakePublisher.make();
  const [ada, ben] = await Promise.all([browser(t, [agent]), browser(t, [agent])]);
  await ada.own(agent);
  const wish = { name: 'Ben', rights: ['ptz', 'live'], cameras: ['front'], expiresSeconds: 3600, pass: false };
  const { link, jti, expires } = await ada.trust.createInvite(wish);
  assert.equal(link.startsWith(`${page}#peer=${agent.peer}&invite=${jti}.`), true);
  assert.equal(expires, now / 1000 + 24 * 3600);
  const invite = await parseInvite(agent.invites.get(jti).invite);
  assert.deepEqual(
    [invite.iss, invite.aud, invite.redeemer, invite.rights, invite.cameras, invite.grantExp, invite.owner],
    [ada.peer, agent.list.list.home, agent.peer, ['live', 'ptz'], [`${agent.peer}/front`], now / 1000 + 3600, false],
  );
  assert.deepEqual(await ben.trust.grantsFor(agent.peer), []);
  assert.deepEqual(await ben.follow(link), { role: 'guest' });
  const [shown] = await ben.trust.grantsFor(agent.peer);
  assert.equal((await parseGrant(shown)).sub, ben.peer);
  assert.deepEqual(await ben.trust.grantsFor((await someone()).peerId), [], 'nobody else is shown it');
  await assert.rejects(ben.follow(link), { code: 'used' });
  const view = await ada.trust.listAccess();
  assert.deepEqual([view.guests[0].peer, view.guests[0].device, view.invites], [ben.peer, 'Phone', []]);
});

test('a grant for the whole home is shown to publishers that are known to belong to it', async (t) => {
  const [camera, recorder] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const [ada, ben] = await Promise.all([browser(t, [camera, recorder]), browser(t, [camera, recorder])]);
  await ada.own(camera);
  await ada.own(recorder);
  const { link } = await ada.trust.createInvite({ name: 'Ben', rights: ['live'], cameras: ['*'], expiresSeconds: 0, pass: false });
  await ben.follow(link);
  assert.equal((await ben.trust.grantsFor(recorder.peer)).length, 1);
  // It says so itself, as anybody could.
  await ben.visit(camera);
  assert.deepEqual(await ben.trust.grantsFor(camera.peer), []);
  await ada.visit(camera);
  const wish = { name: 'Ben', rights: ['events'], cameras: [`${camera.peer}/front`], expiresSeconds: 0, pass: false };
  await ben.follow((await ada.trust.createInvite(wish)).link);
  assert.equal((await ben.trust.grantsFor(camera.peer)).length, 2, 'it has proved the secret of an invite');
});

test('an invite can be taken back', async (t) => {
  const agent = await FakePublisher.make();
  const ada = await browser(t, [agent]);
  await ada.own(agent);
  const { jti } = await ada.trust.createInvite({ name: '', rights: ['live'], cameras: ['*'], expiresSeconds: 0, pass: false });
  await ada.trust.removeInvite(jti);
  assert.equal(agent.invites.size, 0);
  await assert.rejects(ada.trust.removeInvite(jti), TrustError);
});

test('a guest passes on no more than it has, and only if it may', async (t) => {
  const agent = await FakePublisher.make();
  const [ada, ben] = await Promise.all([browser(t, [agent]), browser(t, [agent])]);
  await ada.own(agent);
  const wish = { name: 'Ben', rights: ['live', 'events'], cameras: ['front'], expiresSeconds: 3600, pass: true };
  await ben.follow((await ada.trust.createInvite(wish)).link);
  await ben.visit(agent);
  const mine = { name: 'Cleo', rights: ['live'], cameras: ['front'], expiresSeconds: 7200, pass: false };
  const { jti } = await ben.trust.createInvite(mine);
  const invite = await parseInvite(agent.invites.get(jti).invite);
  assert.deepEqual([invite.iss, invite.grantExp, invite.chain.length], [ben.peer, now / 1000 + 3600, 3]);
  const all = await ben.trust.createInvite({ ...mine, cameras: ['*'] });
  assert.deepEqual((await parseInvite(agent.invites.get(all.jti).invite)).cameras, [`${agent.peer}/front`]);
  for (const more of [{ rights: ['ptz'] }, { cameras: ['garden'] }, { owner: true }]) {
    await assert.rejects(ben.trust.createInvite({ ...mine, ...more }), { name: 'TrustError', code: 'refused' });
  }
  await assert.rejects(ben.trust.revoke(ada.peer), { code: 'forbidden' });
  agent.grants[0].pass = false;
  await ben.visit(agent);
  await assert.rejects(ben.trust.createInvite(mine), { code: 'forbidden' });
});

test('what is revoked goes into the next list, and to every publisher', async (t) => {
  const [camera, recorder] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const [ada, ben] = await Promise.all([browser(t, [camera, recorder]), browser(t, [camera, recorder])]);
  await ada.own(camera);
  await ada.own(recorder);
  await until(() => ada.state().access.publishers.every(({ state }) => state === 'has it'));
  await ben.follow((await ada.trust.createInvite({ name: 'Ben', rights: ['live'], cameras: ['*'], expiresSeconds: 60, pass: false })).link);
  const [{ jti, expires }] = (await ada.trust.listAccess()).guests;
  camera.online = false;
  await ada.trust.revoke(jti);
  assert.deepEqual(recorder.list.list.revoked, [{ kind: 'grant', id: jti, exp: expires, time: now / 1000 }]);
  const reach = () => Object.fromEntries(ada.state().access.publishers.map(({ id, state, problem }) => [id, [state, problem]]));
  await until(() => reach()[camera.peer][1] === 'It is switched off.');
  assert.deepEqual(reach(), { [camera.peer]: ['not reached yet', 'It is switched off.'], [recorder.peer]: ['has it', ''] });
  camera.online = true;
  await ada.trust.revoke(ben.peer);
  await until(() => reach()[camera.peer][0] === 'has it');
  assert.deepEqual(camera.list.list.revoked.map(({ kind }) => kind), ['grant', 'peer']);
  assert.equal(camera.list.hash, recorder.list.hash);
  await ada.trust.restore(ben.peer);
  assert.deepEqual(recorder.list.list.revoked.map(({ kind }) => kind), ['grant']);
  await assert.rejects(ada.trust.revoke(ada.peer), { code: 'last_owner' });
});

test('an owner who was invited gets into the next list, if an owner has invited it', async (t) => {
  const agent = await FakePublisher.make();
  const [ada, ben, eve] = await Promise.all([browser(t, [agent]), browser(t, [agent]), someone()]);
  await ada.own(agent);
  const { link } = await ada.trust.createInvite({ name: 'Ben', rights: [], cameras: [], expiresSeconds: 0, pass: false, owner: true });
  assert.deepEqual(await ben.follow(link), { role: 'owner' });
  // The publisher lies about others.
  const invites = { nothing: '', 'the same invite twice': agent.pending[0].invite };
  for (const invite of Object.values(invites)) agent.pending.push({ id: eve.peerId, name: 'Eve', device: '', invite });
  assert.deepEqual((await ada.trust.listAccess()).owners.map(({ pending }) => pending), [false, true, true, true]);
  await ada.trust.settle();
  assert.deepEqual(agent.list.list.owners, [
    { id: ada.peer, name: 'Ada', device: 'Laptop' },
    { id: ben.peer, name: 'Ben', device: 'Phone' },
  ]);
  await ben.visit(agent);
  await until(() => ben.state().access?.version === 2);
  await ben.trust.revoke(ada.peer);
  assert.deepEqual(ids(agent.list.list.owners), [ben.peer]);
  await assert.rejects(ada.trust.settle(), TrustError);
});

test('what another owner has signed meanwhile is joined', async (t) => {
  mock.method(console, 'warn', () => {});
  t.after(() => mock.restoreAll());
  const [agent, recorder] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const [ada, ben] = await Promise.all([browser(t, [agent, recorder]), someone()]);
  await ada.own(agent);
  const id = (i) => `AAECAwQFBgcICQoLDA0O${'ABCDEFGHIJ'[i]}w`;
  const follow = (before, by, changes) =>
    signList(by, { ...before.list, version: before.list.version + 1, previous: before.hash, ...changes });
  const entry = (i) => ({ kind: 'grant', id: id(i), exp: 0, time: now / 1000 });
  agent.list = await follow(agent.list, ada.identity, { owners: [...agent.list.list.owners, { id: ben.peerId, name: '', device: '' }] });
  await ada.trust.listAccess();
  // Ben signs in the very moment that Ada does.
  let done = false;
  agent.beforePut = async () => {
    if (done) return;
    done = true;
    agent.list = await follow(agent.list, ben, { revoked: [entry(0)] });
  };
  await ada.trust.revoke(id(1));
  assert.deepEqual(ids(agent.list.list.revoked).sort(), [id(0), id(1)]);
  assert.equal(agent.list.list.version, 4);
  // The publisher knows a list beside the one in force, and says something that is in none.
  agent.lists = [await follow(agent.list, ben, { revoked: [...agent.list.list.revoked, entry(2)] })];
  agent.carried = [entry(3)];
  agent.conflict = true;
  assert.equal((await ada.trust.listAccess()).conflict, true);
  await ada.trust.settle();
  assert.deepEqual(ids(agent.list.list.revoked).sort(), [0, 1, 2].map(id), 'nobody has signed the fourth');
  assert.equal((await ada.trust.listAccess()).conflict, false);
});

test('a publisher with a list that no owner has signed is not followed, nor given ours', async (t) => {
  mock.method(console, 'warn', () => {});
  t.after(() => mock.restoreAll());
  const [camera, recorder] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const [ada, eve] = await Promise.all([browser(t, [camera, recorder]), someone()]);
  await ada.own(camera);
  await ada.own(recorder);
  await until(() => camera.list.list.version === 2);
  const { list } = camera.list;
  const owners = [...list.owners, { id: eve.peerId, name: '', device: '' }];
  const forged = await signList(eve, { ...list, version: 9, previous: camera.list.hash, owners });
  camera.list = forged;
  camera.isOwner = () => true;
  await ada.trust.settle();
  await until(() => ada.state().access.publishers[0].state === 'refused');
  assert.match(ada.state().access.publishers[0].problem, /signed by nobody whom this browser knows/);
  assert.equal(camera.list, forged);
  assert.deepEqual(ids(recorder.list.list.owners), [ada.peer]);
  await ada.visit(camera);
  await assert.rejects(ada.trust.settle(), { name: 'TrustError', code: 'refused' });
});

test('a newer list is brought along to those who do not have it', async (t) => {
  const [camera, recorder] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const ada = await browser(t, [camera, recorder]);
  await ada.own(camera);
  await ada.own(recorder);
  await until(() => camera.list.list.version === 2);
  // Another browser of hers has changed it, and reached the recorder only.
  const { list, hash } = recorder.list;
  recorder.list = await signList(ada.identity, { ...list, version: 3, previous: hash });
  await ada.visit(recorder);
  await until(() => camera.list.hash === recorder.list.hash);
  assert.equal((await ada.trust.replicate()).every(({ state }) => state === 'has it'), true);
});

test('a publisher that has missed lists is offered all of them, the oldest first', async (t) => {
  const [camera, recorder] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const [ada, eve] = await Promise.all([browser(t, [camera, recorder]), someone()]);
  await ada.own(camera);
  await ada.own(recorder);
  await until(() => ada.state().access.publishers.every(({ state }) => state === 'has it'));
  const { list, hash } = camera.list;
  camera.online = false;
  for (let i = 0; i < 3; i++) await ada.trust.settle();
  Object.assign(camera, { online: true, strict: true, offered: [] });
  await ada.trust.replicate();
  assert.deepEqual([camera.offered, camera.list.hash], [[3, 4, 5], recorder.list.hash]);
  // One that went astray is led back from where it went.
  camera.list = await signList(ada.identity, { ...list, version: 5, previous: hash, revoked: [{ kind: 'peer', id: eve.peerId, exp: 0, time: 1 }] });
  camera.offered = [];
  await ada.trust.settle();
  await ada.trust.replicate();
  assert.deepEqual(camera.offered.slice(0, 3), [6, 1, 2]);
});

test('the log is watched: what changes behind its back is said until a person accepts it', async (t) => {
  const agent = await FakePublisher.make();
  const ada = await browser(t, [agent]);
  for (const kind of ['started', 'paired', 'came']) agent.write(kind);
  await ada.own(agent);
  const first = await ada.trust.readLog();
  assert.deepEqual([first.entries.map(({ kind }) => kind), first.warning], [['came', 'paired', 'started'], '']);
  agent.log.pop();
  assert.match((await ada.trust.readLog()).warning, /become shorter/);
  assert.match(ada.state().logWarning, /become shorter/);
  agent.write('left');
  agent.write('left');
  assert.match((await ada.trust.readLog()).warning, /changed since/);
  assert.equal((await ada.trust.readLog({ accept: true })).warning, '');
  assert.equal((await ada.trust.readLog()).warning, '');
  assert.equal(ada.state().logWarning, '');
});

test('all tabs of a browser, and the next visit, know the same', async (t) => {
  const agent = await FakePublisher.make();
  const indexedDB = new FakeIndexedDB();
  const ada = await browser(t, [agent], { indexedDB });
  await ada.own(agent);
  agent.write('came');
  await ada.trust.readLog();
  const vault = new Vault(indexedDB);
  assert.deepEqual((await vault.keys('')).map((key) => key.split('/')[0]).sort(), ['heads', 'homes']);
  const silent = new Vault({ open() { throw new DOMException('', 'SecurityError'); } });
  mock.method(console, 'warn', () => {});
  t.after(() => mock.restoreAll());
  await silent.update('a/b', () => 7);
  assert.deepEqual([await silent.get('a/b'), await silent.keys('a/')], [7, ['a/b']]);
  await silent.update('a/b', () => undefined);
  assert.equal(await silent.get('a/b'), undefined);
});

test('a QR code is drawn by the publisher, and only while it is there', async (t) => {
  const agent = await FakePublisher.make();
  const ada = await browser(t, [agent]);
  await assert.rejects(ada.trust.qr('x'), { code: 'no-connection' });
  await ada.pair(agent);
  const { leave } = await ada.visit(agent);
  assert.equal(await ada.trust.qr('secret'), '<svg>secret</svg>');
  leave();
  await assert.rejects(ada.trust.qr('x'), { code: 'no-connection' });
  await assert.rejects(ada.trust.listAccess(), { code: 'no-connection' });
});
