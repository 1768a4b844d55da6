import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { fromKeyPair } from '../static/identity.js';
import { sign, verify } from '../static/jws.js';
import { Negotiation } from '../static/messages.js';

const hash = (text) => createHash('sha256').update(text).digest('base64url');
const token = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
const nowMs = 1_800_000_000_000;

async function someone() {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  return fromKeyPair(pair, crypto.subtle, true);
}

/** A viewer that has offered, and what a publisher needs to answer. */
async function setUp() {
  const [viewer, agent] = await Promise.all([someone(), someone()]);
  const negotiation = new Negotiation({ identity: viewer, peer: agent.peerId, now: () => nowMs });
  const offerJws = await negotiation.offer('v=0', [{ mid: '0', camera: 'front' }]);
  const offer = JSON.parse((await verify(offerJws)).payload);
  const base = { from: agent.peerId, to: viewer.peerId, session: offer.session, seq: 1, exp: nowMs / 1000 + 60 };
  const answer = { ...base, type: 'answer', nonce: token(), peerNonce: offer.nonce, offerHash: hash(offerJws), sdp: 'v=1' };
  const by = (identity) => (message) => sign(identity, typeof message === 'string' ? message : JSON.stringify(message));
  return { viewer, agent, negotiation, offerJws, offer, base, answer, seal: by(agent), by };
}

test('an offer says who, to whom, for how long, and for which cameras', async () => {
  const { viewer, agent, offer } = await setUp();
  assert.deepEqual(Object.keys(offer).sort(), ['exp', 'from', 'media', 'nonce', 'sdp', 'seq', 'session', 'to', 'type']);
  assert.deepEqual(
    [offer.type, offer.from, offer.to, offer.seq, offer.exp],
    ['offer', viewer.peerId, agent.peerId, 1, nowMs / 1000 + 60],
  );
  assert.match(offer.session, /^[\w-]{22}$/);
  assert.match(offer.nonce, /^[\w-]{22}$/);
  assert.deepEqual(offer.media, [{ mid: '0', camera: 'front' }]);
});

test('the right answer is accepted, and then candidates and a bye both ways', async () => {
  const { negotiation, offerJws, base, answer, seal } = await setUp();
  await assert.rejects(negotiation.candidate('candidate:1', '0'));
  const answerJws = await seal(answer);
  assert.deepEqual(await negotiation.read(answerJws), { type: 'answer', sdp: 'v=1' });
  const transcript = hash(`${offerJws}.${answerJws}`);
  const mine = JSON.parse((await verify(await negotiation.candidate('candidate:1', '0'))).payload);
  assert.deepEqual([mine.seq, mine.transcript, mine.candidate, mine.mid], [2, transcript, 'candidate:1', '0']);
  const candidate = { ...base, type: 'candidate', seq: 2, transcript, candidate: 'candidate:2', mid: '0' };
  assert.deepEqual(await negotiation.read(await seal(candidate)), { type: 'candidate', candidate: 'candidate:2', mid: '0' });
  assert.deepEqual(await negotiation.read(await seal({ ...base, type: 'bye', seq: 9, transcript, reason: 'off' })), { type: 'bye', reason: 'off' });
});

test('a reject tells why, and how wrong the clocks are', async () => {
  const { negotiation, base, answer, seal } = await setUp();
  const { offerHash } = answer;
  const exp = base.exp - 3600;
  const reject = { ...base, exp, type: 'reject', offerHash, code: 'expired', reason: 'Too late.' };
  assert.deepEqual(await negotiation.read(await seal(reject)), {
    type: 'reject', code: 'expired', reason: 'Too late.', clockOffsetMs: -3_600_000,
  });
});

test('whatever a hostile service could make of genuine messages is refused', async () => {
  const { viewer, negotiation, offerJws, base, answer, seal, by } = await setUp();
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
    'without a number': seal({ ...answer, seq: '1' }),
    'with number 0': seal({ ...answer, seq: 0 }),
    'a bye before the answer': seal({ ...base, type: 'bye', transcript: '', reason: '' }),
    'an offer of the agent': seal({ ...base, type: 'offer', nonce: token(), sdp: '', media: [] }),
    'of an unknown type': seal({ ...answer, type: 'constructor' }),
    'that is no object': seal('[]'),
    'that is null': seal('null'),
    'that is no JSON': seal('{'),
  };
  for (const [name, compact] of Object.entries(bad)) await assert.rejects(negotiation.read(await compact), undefined, name);
  await negotiation.read(await seal(answer));
});

test('after the answer a repeated, late or foreign message is refused', async () => {
  const { negotiation, offerJws, base, answer, seal } = await setUp();
  const answerJws = await seal(answer);
  await negotiation.read(answerJws);
  const transcript = hash(`${offerJws}.${answerJws}`);
  const bye = { ...base, type: 'bye', seq: 2, transcript, reason: '' };
  await assert.rejects(negotiation.read(answerJws), /repeated/);
  await assert.rejects(negotiation.read(await seal({ ...answer, seq: 2 })), /already answered/);
  await assert.rejects(negotiation.read(await seal({ ...bye, transcript: hash('x') })), /does not continue/);
  const reject = { ...base, seq: 2, type: 'reject', offerHash: answer.offerHash, code: 'busy', reason: '' };
  await assert.rejects(negotiation.read(await seal(reject)), /already answered/);
  await negotiation.read(await seal(bye));
  await assert.rejects(negotiation.read(await seal(bye)), /repeated/);
});

test('a session has one offer', async () => {
  const { negotiation } = await setUp();
  await assert.rejects(negotiation.offer('v=0', []), /one offer/);
});
