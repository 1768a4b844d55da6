import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { ApiError, call } from '../static/api.js';
import { claimProof, proveClaim } from '../static/claim.js';

const token = (size) => Buffer.from(crypto.getRandomValues(new Uint8Array(size))).toString('base64url');
const secret = token(16);
const request = { claim: { kind: 'invite', invite: token(16), secret }, viewer: 'viewer', publisher: 'agent', name: 'Anna', device: 'Phone' };
const transcript = token(32);

const proofOf = (side, { key = secret, kind = 'invite', of = transcript, viewer = 'viewer' } = {}) =>
  createHmac('sha256', Buffer.from(key, 'base64url')).update(`sightline-claim-v1\n${side}\n${kind}\n${of}\n${viewer}\nagent`).digest('base64url');

/** A publisher that answers one request. */
function publisher(status, body, headers = {}) {
  const asked = [];
  const http = {
    async request(path, options) {
      asked.push({ path, ...options, body: JSON.parse(options.body) });
      return { ok: status < 300, status, headers: new Map(Object.entries(headers)), json: async () => body };
    },
  };
  return { asked, session: { http, transcript } };
}

test('both sides prove that they know the secret, and nobody says it', async () => {
  const { asked, session } = publisher(200, { proof: proofOf('publisher'), role: 'guest', grant: 'a.b.c', home: '' });
  assert.deepEqual(await proveClaim(session, request), { role: 'guest', grant: 'a.b.c', home: '' });
  assert.deepEqual([asked[0].path, asked[0].method], ['/v1/claim', 'POST']);
  assert.deepEqual(asked[0].body, {
    kind: 'invite', invite: request.claim.invite, proof: proofOf('viewer'), name: 'Anna', device: 'Phone',
  });
  assert.equal(JSON.stringify(asked).includes(secret), false);
});

test('a publisher that does not prove it back is not believed', async () => {
  const good = { role: 'owner', grant: '', home: '' };
  const proofs = {
    'nothing': undefined,
    'my own proof': proofOf('viewer'),
    'of another secret': proofOf('publisher', { key: token(16) }),
    'of another session': proofOf('publisher', { of: token(32) }),
    'of another kind': proofOf('publisher', { kind: 'pair' }),
    'of another viewer': proofOf('publisher', { viewer: 'other' }),
    'cut': proofOf('publisher').slice(0, -1),
  };
  for (const [what, proof] of Object.entries(proofs)) {
    await assert.rejects(proveClaim(publisher(200, { ...good, proof }).session, request), { code: 'wrong_proof' }, what);
  }
});

test('an answer that makes no sense is not taken', async () => {
  const proof = proofOf('publisher');
  for (const body of [{ proof, role: 'root' }, { proof, role: 'guest', grant: 7 }, { proof, role: 'owner', home: 'x' }]) {
    await assert.rejects(proveClaim(publisher(200, body).session, request), { code: 'bad-answer' });
  }
  await assert.rejects(proveClaim(publisher(200, null).session, request), ApiError);
});

test('a refusal says why and for how long', async () => {
  const { session } = publisher(429, { error: { code: 'locked', message: 'Wait.' } }, { 'retry-after': '60' });
  await assert.rejects(proveClaim(session, request), { code: 'locked', message: 'Wait.', retryAfterSeconds: 60 });
  const bare = publisher(500, 'x').session;
  await assert.rejects(call(bare.http, '/', { body: {} }), { code: 'refused', status: 500, retryAfterSeconds: 0 });
});

test('nothing is proved without a handshake', async () => {
  await assert.rejects(proveClaim({ ...publisher(200, {}).session, transcript: '' }, request), TypeError);
});

test('the proof is the one that others compute', async () => {
  const binding = { kind: 'invite', transcript, viewer: 'viewer', publisher: 'agent' };
  assert.equal(await claimProof(secret, 'viewer', binding), proofOf('viewer'));
});
