import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { unseal } from '../static/jwe.js';
import { sign, verify } from '../static/jws.js';
import { Negotiation } from '../static/messages.js';
import { keyOf, sealTo, someone } from './someone.js';

const hash = (text) => createHash('sha256').update(text).digest('base64url');
const token = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
const nowMs = 1_800_000_000_000;

/** A viewer that has offered, and what a publisher needs to answer. */
async function setUp(standing) {
  const [viewer, agent] = await Promise.all([someone(), someone()]);
  const negotiation = new Negotiation({ identity: viewer, peer: agent.peerId, now: () => nowMs });
  negotiation.sealTo(await keyOf(agent));
  const offerJws = await unseal(agent, await negotiation.offer('v=0', [{ mid: '0', camera: 'front' }], standing));
  const offer = JSON.parse((await verify(offerJws)).payload);
  const base = { from: agent.peerId, to: viewer.peerId, session: offer.session, seq: 1, exp: nowMs / 1000 + 60 };
  const answer = { ...base, type: 'answer', nonce: token(), peerNonce: offer.nonce, offerHash: hash(offerJws), sdp: 'v=1', ice: [] };
  const by = (identity) => (message) => sign(identity, typeof message === 'string' ? message : JSON.stringify(message));
  /** What the service passes on: sealed to the viewer. */
  const read = async (compact) => negotiation.read(await sealTo(viewer, await compact));
  const opened = async (sealed) => JSON.parse((await verify(await unseal(agent, await sealed))).payload);
  return { read, opened, viewer, agent, negotiation, offerJws, offer, base, answer, seal: by(agent), by };
}

test('an offer says who, to whom, for how long, and for which cameras', async () => {
  const { viewer, agent, offer } = await setUp();
  assert.deepEqual(
    Object.keys(offer).sort(),
    ['claim', 'exp', 'from', 'grants', 'key', 'media', 'nonce', 'sdp', 'seq', 'session', 'to', 'type'],
  );
  assert.deepEqual([offer.key, offer.claim, offer.grants], [viewer.agreementKey, '', []]);
  assert.deepEqual(
    [offer.type, offer.from, offer.to, offer.seq, offer.exp],
    ['offer', viewer.peerId, agent.peerId, 1, nowMs / 1000 + 60],
  );
  assert.match(offer.session, /^[\w-]{22}$/);
  assert.match(offer.nonce, /^[\w-]{22}$/);
  assert.deepEqual(offer.media, [{ mid: '0', camera: 'front' }]);
});

test('the right answer is accepted, and then candidates and a bye both ways', async () => {
  const { negotiation, read, opened, offerJws, base, answer, seal } = await setUp();
  await assert.rejects(negotiation.candidate('candidate:1', '0'));
  const answerJws = await seal(answer);
  assert.deepEqual(await read(answerJws), { type: 'answer', sdp: 'v=1', ice: [] });
  const transcript = hash(`${offerJws}.${answerJws}`);
  const mine = await opened(negotiation.candidate('candidate:1', '0'));
  assert.deepEqual([mine.seq, mine.transcript, mine.candidate, mine.mid], [2, transcript, 'candidate:1', '0']);
  const candidate = { ...base, type: 'candidate', seq: 2, transcript, candidate: 'candidate:2', mid: '0' };
  assert.deepEqual(await read(seal(candidate)), { type: 'candidate', candidate: 'candidate:2', mid: '0' });
  assert.deepEqual(await read(seal({ ...base, type: 'bye', seq: 9, transcript, reason: 'off' })), { type: 'bye', reason: 'off' });
});

test('a reject tells why, and how wrong the clocks are', async () => {
  const { read, base, answer, seal } = await setUp();
  const { offerHash } = answer;
  const exp = base.exp - 3600;
  const reject = { ...base, exp, type: 'reject', offerHash, code: 'expired', reason: 'Too late.' };
  assert.deepEqual(await read(seal(reject)), {
    type: 'reject', code: 'expired', reason: 'Too late.', clockOffsetMs: -3_600_000,
  });
});

test('whatever a hostile service could make of genuine messages is refused', async () => {
  const { viewer, agent, negotiation, read, offerJws, base, answer, seal, by } = await setUp();
  const stranger = await someone();
  const bad = {
    'signed by a stranger': by(stranger)(answer),
    'signed by a stranger who says so': by(stranger)({ ...answer, from: stranger.peerId }),
    'reflected': Promise.resolve(offerJws),
    'signed by the viewer itself': by(viewer)({ ...answer, from: viewer.peerId }),
    'meant for someone else': seal({ ...answer, to: stranger.peerId }),
    'of another session': seal({ ...answer, session: token() }),
    'to another offer': seal({ ...answer, offerHash: hash('x') }),
    'to another nonce': seal({ ...answer, peerNonce: token() }),
    'without a nonce': seal({ ...answer, nonce: '' }),
    'with a field too many': seal({ ...answer, extra: 1 }),
    'without an sdp': seal({ ...answer, sdp: undefined }),
    'with an sdp that is no text': seal({ ...answer, sdp: 7 }),
    'with an sdp that is too long': seal({ ...answer, sdp: 'x'.repeat(41_000) }),
    'without a list of servers': seal({ ...answer, ice: undefined }),
    'with a server that is none': seal({ ...answer, ice: [{ urls: ['https://x'], username: '', credential: '', expires: 0 }] }),
    'with too many servers': seal({ ...answer, ice: Array(5).fill({ urls: ['stun:a'], username: '', credential: '', expires: 0 }) }),
    'without a number': seal({ ...answer, seq: '1' }),
    'with number 0': seal({ ...answer, seq: 0 }),
    'a bye before the answer': seal({ ...base, type: 'bye', transcript: '', reason: '' }),
    'an offer of the agent': seal({ ...base, type: 'offer', nonce: token(), sdp: '', media: [] }),
    'of an unknown type': seal({ ...answer, type: 'constructor' }),
    'that is no object': seal('[]'),
    'that is null': seal('null'),
    'that is no JSON': seal('{'),
    'that says a thing twice': seal(JSON.stringify(answer).replace('{', '{"sdp":"v=2",')),
  };
  for (const [name, compact] of Object.entries(bad)) await assert.rejects(read(compact), undefined, name);
  const unsealed = { signed: await seal(answer), 'sealed to the agent': await sealTo(agent, await seal(answer)), nothing: '' };
  for (const [name, payload] of Object.entries(unsealed)) await assert.rejects(negotiation.read(payload), { name: 'JweError' }, name);
  await read(seal(answer));
});

test('after the answer a repeated, late or foreign message is refused', async () => {
  const { read, offerJws, base, answer, seal } = await setUp();
  const answerJws = await seal(answer);
  await read(answerJws);
  const transcript = hash(`${offerJws}.${answerJws}`);
  const bye = { ...base, type: 'bye', seq: 2, transcript, reason: '' };
  await assert.rejects(read(answerJws), /repeated/);
  await assert.rejects(read(seal({ ...answer, seq: 2 })), /already answered/);
  await assert.rejects(read(seal({ ...bye, transcript: hash('x') })), /does not continue/);
  const reject = { ...base, seq: 2, type: 'reject', offerHash: answer.offerHash, code: 'busy', reason: '' };
  await assert.rejects(read(seal(reject)), /already answered/);
  await read(seal(bye));
  await assert.rejects(read(seal(bye)), /repeated/);
});

test('a session has one offer', async () => {
  const { negotiation } = await setUp();
  await assert.rejects(negotiation.offer('v=0', []), /one offer/);
});

test('an offer shows a claim or grants', async () => {
  assert.equal((await setUp({ claim: 'pair' })).offer.claim, 'pair');
  assert.deepEqual((await setUp({ grants: ['a.b.c'] })).offer.grants, ['a.b.c']);
});

test('both ends name the handshake alike, and it has no name before the answer', async () => {
  const { negotiation, read, offerJws, answer, seal } = await setUp();
  assert.equal(negotiation.transcript, '');
  const answerJws = await seal(answer);
  await read(answerJws);
  assert.equal(negotiation.transcript, hash(`${offerJws}.${answerJws}`));
});

test('the same offer is sealed again for an agent with a new key', async () => {
  const { agent, negotiation, offerJws } = await setUp();
  const restarted = await someone();
  assert.equal(negotiation.sealTo(await keyOf(agent)), false);
  assert.equal(negotiation.sealTo(await keyOf(restarted)), true);
  assert.equal(await unseal(restarted, await negotiation.offerAgain()), offerJws);
});

test('nothing is said before there is a key to seal it with', async () => {
  const negotiation = new Negotiation({ identity: await someone(), peer: (await someone()).peerId });
  await assert.rejects(negotiation.offer('v=0', []), /key is not known/);
});

test('a restart of ICE is answered once, and only the last one', async () => {
  const { negotiation, read, opened, offerJws, base, answer, seal } = await setUp();
  await assert.rejects(negotiation.restart('v=2'), /not answered/);
  const answerJws = await seal(answer);
  await read(answerJws);
  const transcript = hash(`${offerJws}.${answerJws}`);
  const request = { ...base, type: 'restart-request', transcript, seq: 2, reason: 'New network.' };
  assert.deepEqual(await read(seal(request)), { type: 'restart-request', reason: 'New network.' });
  const restarted = { ...base, type: 'restarted', transcript, seq: 3, restart: 1, sdp: 'v=3', ice: [] };
  await assert.rejects(read(seal(restarted)), /another restart/, 'not asked for');
  await assert.rejects(read(seal({ ...restarted, restart: 0 })), /no good restart/);
  const first = await opened(negotiation.restart('v=2'));
  const last = await opened(negotiation.restart('v=2'));
  assert.deepEqual([first.type, first.sdp, first.transcript], ['restart', 'v=2', transcript]);
  await assert.rejects(read(seal({ ...restarted, restart: first.seq })), /another restart/);
  await assert.rejects(read(seal({ ...restarted, restart: last.seq, transcript: hash('x') })), /does not continue/);
  assert.deepEqual(await read(seal({ ...restarted, restart: last.seq })), { type: 'restarted', sdp: 'v=3', ice: [] });
  await assert.rejects(read(seal({ ...restarted, restart: last.seq, seq: 4 })), /another restart/);
});
