/** What a publisher, or an owner who means ill, can make of an honest owner's browser: nothing. */
import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { signList } from '../static/access-list.js';
import { randomToken } from '../static/encoding.js';
import { newInviteSecret, parseInvite, signGrant, signInvite } from '../static/tokens.js';
import { Trust } from '../static/trust.js';
import { Vault } from '../static/vault.js';
import { FakeIndexedDB } from './fake-indexeddb.js';
import { connector, FakePublisher } from './fake-publisher.js';
import { someone } from './someone.js';

const nowMs = 1_800_000_000_000;
const now = nowMs / 1000;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const until = async (condition, what = String(condition)) => {
  for (const end = performance.now() + 60_000; performance.now() < end; await turn()) {
    if (condition()) return;
  }
  assert.fail(`never: ${what}`);
};
const ids = (entries) => entries.map(({ id }) => id);
const owner = ({ peerId }, name = '') => ({ id: peerId, name, device: '' });
const grant = (id = randomToken(16)) => ({ kind: 'grant', id, exp: 0, time: now });
const share = { name: 'Ben', rights: ['live'], cameras: ['*'], expiresSeconds: 0, pass: false };

async function browser(t, publishers) {
  const identity = await someone();
  const { connect } = connector(publishers);
  const signaling = { url: 'wss://cam.example/v1/signal' };
  const trust = new Trust({ identity, signaling, vault: new Vault(new FakeIndexedDB()), connect, now: () => nowMs, page: 'https://x/' });
  t.after(() => trust.close());
  const visit = async (publisher) => {
    const ended = new AbortController();
    await trust.attach({ peer: publisher.peer, http: publisher.http(identity.peerId), ended: ended.signal });
    // After what the visit has begun.
    await trust.readLog();
  };
  const own = async (publisher, home) => {
    publisher.secret = 'AAECAwQFBgcICQoLDA0ODw';
    const claim = { kind: 'pair', invite: '', secret: publisher.secret };
    await trust.claim({ peer: publisher.peer, claim, name: 'Ada', device: 'Laptop', home });
    await visit(publisher);
    assert.ok(publisher.list);
  };
  return { identity, peer: identity.peerId, trust, visit, own, state: () => trust.state.value };
}

/** A publisher that says to everybody that they are its owner. */
async function evil(list = null) {
  const publisher = await FakePublisher.make();
  publisher.isOwner = () => true;
  publisher.list = list;
  return publisher;
}

/** An agent with the list that follows the one it has. */
async function put(agent, by, changes) {
  const { list, hash } = agent.list;
  agent.lists.push(agent.list);
  agent.list = await signList(by, { ...list, version: list.version + 1, previous: hash, ...changes });
}

test('watching a stranger’s camera signs nothing for it', async (t) => {
  const [mine, theirs] = await Promise.all([FakePublisher.make(), evil()]);
  const ada = await browser(t, [mine, theirs]);
  await ada.visit(theirs);
  assert.equal(theirs.list, null, 'without a home');
  await ada.own(mine);
  await ada.visit(theirs);
  await assert.rejects(ada.trust.settle(), { code: 'refused' });
  assert.deepEqual([theirs.list, ids(mine.list.list.publishers)], [null, [mine.peer]]);
});

test('a list that a stranger’s camera shows is not believed, before the first pairing or after it', async (t) => {
  const [mine, theirs, second] = await Promise.all([FakePublisher.make(), evil(), FakePublisher.make()]);
  const [ada, mallory] = [await browser(t, [mine, theirs, second]), await someone()];
  const made = { home: randomToken(16), version: 1, previous: '', time: now, revoked: [] };
  const publishers = [{ id: theirs.peer, name: '', kind: 'agent', signal: '' }];
  theirs.list = await signList(mallory, { ...made, owners: [owner(mallory), { id: ada.peer, name: 'Ada', device: '' }], publishers });
  await ada.visit(theirs);
  await assert.rejects(ada.trust.settle(), { code: 'refused', message: /on no list that an owner whom this browser knows/ });
  await ada.own(mine);
  assert.deepEqual(ids(mine.list.list.owners), [ada.peer]);
  await ada.visit(theirs);
  await ada.own(second);
  assert.deepEqual([second.list.list.home, ids(second.list.list.owners)], [mine.list.list.home, [ada.peer]]);
  // Nor after the stranger has asked for a claim of pairing, whose list she did not sign.
  theirs.secret = 'AAECAwQFBgcICQoLDA0ODw';
  await ada.trust.claim({ peer: theirs.peer, claim: { kind: 'pair', invite: '', secret: theirs.secret }, name: 'Ada', device: '' });
  await ada.visit(theirs);
  await assert.rejects(ada.trust.settle(), { code: 'refused' });
});

test('an agent joins a home with other owners only if a person says so', async (t) => {
  const [mine, second, third] = await Promise.all([FakePublisher.make(), FakePublisher.make(), FakePublisher.make()]);
  const [ada, ben] = [await browser(t, [mine, second, third]), await someone()];
  assert.deepEqual(await ada.trust.othersAtHome(), []);
  await ada.own(mine);
  assert.deepEqual(await ada.trust.othersAtHome(), []);
  await put(mine, ada.identity, { owners: [...mine.list.list.owners, owner(ben, 'Ben')] });
  await ada.visit(mine);
  assert.deepEqual(await ada.trust.othersAtHome(), ['Ben']);
  await ada.own(third, 'join');
  assert.deepEqual([third.list.list.home, ids(third.list.list.owners)], [mine.list.list.home, [ada.peer, ben.peerId]]);
  await ada.own(second);
  assert.notEqual(second.list.list.home, mine.list.list.home);
  assert.deepEqual(ids(second.list.list.owners), [ada.peer]);
});

test('an invite that makes an owner is no pairing', async (t) => {
  const [friends, mine] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const [fay, ada] = [await browser(t, [friends, mine]), await browser(t, [friends, mine])];
  await fay.own(friends);
  const { link } = await fay.trust.createInvite({ ...share, owner: true });
  const [invite, secret] = link.split('invite=')[1].split('.');
  await ada.trust.claim({ peer: friends.peer, claim: { kind: 'invite', invite, secret }, name: 'Ada', device: '' });
  await fay.trust.settle();
  await ada.visit(friends);
  await ada.trust.settle();
  assert.equal(friends.list.signer, ada.peer, 'she owns it with her friend');
  // What is paired later is hers alone, unless she says otherwise.
  await ada.own(mine);
  assert.deepEqual([mine.list.list.version, ids(mine.list.list.owners)], [1, [ada.peer]]);
  Object.assign(friends, { list: null, isOwner: () => true });
  await ada.visit(friends);
  assert.notEqual(friends.list?.list.version, 1, 'it gets no first list');
});

test('an invite made on a stranger’s page is for that camera only', async (t) => {
  const mine = await FakePublisher.make();
  const ada = await browser(t, [mine]);
  await ada.own(mine);
  const theirs = await evil(mine.list);
  await ada.visit(theirs);
  await ada.trust.createInvite(share);
  const [{ invite }] = theirs.invites.values();
  assert.equal((await parseInvite(invite)).aud, theirs.peer);
  await ada.visit(mine);
  await ada.trust.createInvite(share);
  assert.equal((await parseInvite([...mine.invites.values()][0].invite)).aud, mine.list.list.home);
});

test('what a publisher says is revoked, and no owner has signed, is not signed', async (t) => {
  const mine = await FakePublisher.make();
  const ada = await browser(t, [mine]);
  await ada.own(mine);
  const wrong = Array.from({ length: 513 }, () => grant());
  const theirs = await evil(mine.list);
  for (const publisher of [theirs, mine]) publisher.carried = wrong;
  await ada.visit(theirs);
  await ada.trust.listAccess();
  await ada.visit(mine);
  const id = randomToken(16);
  await ada.trust.revoke(id);
  assert.deepEqual(ids(mine.list.list.revoked), [id]);
});

test('an owner’s invite makes one owner, and none when it is long over', async (t) => {
  const mine = await FakePublisher.make();
  const ada = await browser(t, [mine]);
  await ada.own(mine);
  const [ben, cleo, mallory] = await Promise.all([someone(), someone(), someone()]);
  const { home } = mine.list.list;
  const invite = async (exp) => {
    const { jti, commit } = await newInviteSecret();
    const scope = { rights: ['live'], cameras: ['*'], pass: true, grantExp: 0, owner: true, prf: '' };
    return signInvite(ada.identity, { aud: home, jti, iat: exp - 86_400, exp, redeemer: mine.peer, commit, name: '', ...scope });
  };
  const [old, late, good] = [await invite(now - 86_401), await invite(now - 3600), await invite(now + 3600)];
  mine.pending = [{ ...owner(mallory), invite: old }, { ...owner(ben), invite: late }, { ...owner(cleo), invite: good }];
  await ada.trust.settle();
  assert.deepEqual(ids(mine.list.list.owners), [ada.peer, ben.peerId, cleo.peerId]);
  mine.pending = [{ ...owner(mallory), invite: good }];
  await ada.trust.settle();
  assert.deepEqual(ids(mine.list.list.owners), [ada.peer, ben.peerId, cleo.peerId]);
});

test('an owner who fills the list with revocations can be taken out', async (t) => {
  const mine = await FakePublisher.make();
  const ada = await browser(t, [mine]);
  await ada.own(mine);
  const mallory = await someone();
  const [early, seen] = [grant(), grant()];
  await put(mine, ada.identity, { owners: [...mine.list.list.owners, owner(mallory)], revoked: [early] });
  await put(mine, mallory, { revoked: [early, seen, ...Array.from({ length: 398 }, () => ({ ...grant(), time: now + 9 }))] });
  mine.grants = [{ jti: seen.id, peer: (await someone()).peerId, name: 'Ben', rights: ['live'], cameras: ['*'], expires: 0 }];
  await assert.rejects(ada.trust.revoke(randomToken(16)), /At most 400/);
  await ada.trust.revoke(mallory.peerId);
  const { owners, revoked } = mine.list.list;
  assert.deepEqual([ids(owners), revoked.length], [[ada.peer], 400]);
  for (const { id } of [early, seen, { id: mallory.peerId }]) assert.ok(ids(revoked).includes(id), 'what others asked for, or was seen here, stays');
  const next = randomToken(16);
  await ada.trust.revoke(next);
  assert.ok(ids(mine.list.list.revoked).includes(next), 'there is room from then on');
});

test('an owner who missed lists learns them, the oldest first', async (t) => {
  const mine = await FakePublisher.make();
  const ada = await browser(t, [mine]);
  await ada.own(mine);
  const [ben, cleo, dan] = await Promise.all([someone(), someone(), someone()]);
  const [me] = mine.list.list.owners;
  await put(mine, ada.identity, { owners: [me, owner(ben)] });
  await put(mine, ben, { owners: [me, owner(ben), owner(cleo)] });
  await put(mine, cleo, { owners: [me, owner(ben), owner(cleo), owner(dan)] });
  await put(mine, dan, {});
  assert.equal((await ada.trust.listAccess()).version, 5);
  await ada.trust.settle();
  assert.deepEqual([mine.list.list.version, ids(mine.list.list.owners)], [6, [ada.peer, ben.peerId, cleo.peerId, dan.peerId]]);
});

test('one list that is none does not keep an owner from the others', async (t) => {
  const mine = await FakePublisher.make();
  const ada = await browser(t, [mine]);
  await ada.own(mine);
  mine.lists.push({ compact: 'e30.e30.e30' }, { compact: '' });
  await ada.trust.settle();
  assert.equal(mine.list.list.version, 2);
});

test('how long a revocation has to last is read from what an owner signed', async (t) => {
  const mine = await FakePublisher.make();
  const ada = await browser(t, [mine]);
  await ada.own(mine);
  const revoked = async (entry) => {
    mine.grants = [entry];
    await ada.trust.revoke(entry.jti);
    return mine.list.list.revoked.find(({ id }) => id === entry.jti)?.exp;
  };
  const holder = (await someone()).peerId;
  const said = { peer: holder, name: 'Ben', device: '', rights: ['live'], cameras: ['*'], pass: false, expires: now - 1, revoked: false, lastSeen: '' };
  assert.equal(await revoked({ ...said, jti: randomToken(16) }), 0, 'without the grant');
  const make = async (grantExp, exp) => {
    const { jti, commit } = await newInviteSecret();
    const base = { aud: mine.list.list.home, iat: now, rights: ['live'], cameras: ['*'], pass: false, owner: false };
    const prf = await signInvite(ada.identity, { ...base, jti, exp: now + 60, redeemer: mine.peer, commit, name: 'Ben', grantExp, prf: '' });
    const grantJti = randomToken(16);
    const compact = await signGrant(mine.identity, { ...base, sub: holder, jti: grantJti, exp, name: 'Ben', device: 'Phone', prf });
    return { ...said, jti: grantJti, grant: compact };
  };
  assert.equal(await revoked(await make(now + 7200, now + 7200)), now + 7200);
  assert.equal(await revoked(await make(0, now + 5)), 0, 'the publisher could have made a longer one');
  assert.equal(await revoked({ ...(await make(now + 7200, now + 7200)), jti: randomToken(16) }), 0, 'another grant');
  const shown = { ...(await make(now + 7200, now + 60)), name: 'Somebody else', rights: ['live', 'admin'], expires: 0 };
  mine.grants = [shown];
  const [guest] = (await ada.trust.listAccess()).guests;
  assert.deepEqual([guest.name, guest.device, guest.rights, guest.expires], ['Ben', 'Phone', ['live'], now + 60]);
});

test('a publisher that went back to an old list is found out and told again', async (t) => {
  const [one, two] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const ada = await browser(t, [one, two]);
  await ada.own(one);
  await ada.own(two);
  await ada.visit(one);
  const reach = () => ada.state().access.publishers.find(({ id }) => id === two.peer).state;
  await until(() => reach() === 'has it');
  const old = two.list;
  await ada.trust.revoke(randomToken(16));
  await ada.trust.replicate();
  assert.equal(two.list.hash, one.list.hash);
  two.list = old;
  await ada.trust.replicate();
  assert.deepEqual([two.list.hash, reach()], [one.list.hash, 'has it']);
  // Found out on the way, and it does not let itself be told.
  two.list = old;
  two.beforePut = async () => { throw new Error('the disk is full'); };
  await ada.trust.replicate();
  assert.equal(reach(), 'refused');
});

test('a device can be taken off the list, and stays off', async (t) => {
  mock.method(console, 'warn', () => {});
  t.after(() => mock.restoreAll());
  const [one, two] = await Promise.all([FakePublisher.make(), FakePublisher.make()]);
  const ada = await browser(t, [one, two]);
  await ada.own(one);
  await ada.own(two);
  await ada.visit(one);
  await ada.trust.replicate();
  const old = two.list;
  await assert.rejects(ada.trust.removeDevice(one.peer), { code: 'refused', message: /Open another one/ });
  await ada.trust.removeDevice(two.peer);
  assert.deepEqual([ids(one.list.list.publishers), ids(one.list.list.revoked)], [[one.peer], [two.peer]]);
  await ada.trust.replicate();
  assert.equal(two.list, old, 'it is told nothing more');
  await ada.visit(two);
  await assert.rejects(ada.trust.settle(), { code: 'refused' });
  const { link } = await ada.trust.createInvite(share);
  assert.ok(link);
  assert.equal((await parseInvite([...two.invites.values()][0].invite)).aud, two.peer);
  // Reset and paired again it comes back.
  Object.assign(two, { list: null, lists: [], root: '' });
  await ada.own(two);
  assert.deepEqual([ids(two.list.list.publishers), ids(two.list.list.revoked)], [[one.peer, two.peer], []]);
});
