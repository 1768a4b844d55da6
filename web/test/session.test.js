import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { fromKeyPairs, newKeyPairs } from '../static/identity.js';
import { unseal } from '../static/jwe.js';
import { sign, verify } from '../static/jws.js';
import { keyStatement } from '../static/keys.js';
import { openForRequests } from '../static/requests.js';
import { SignalingError } from '../static/signaling.js';
import { sealTo, someone } from './someone.js';

/** As much of a peer connection as a session without media needs. */
class FakeConnection extends EventTarget {
  connectionState = 'new';
  localDescription = null;
  sctp = null;
  createDataChannel() {
    return {};
  }
  async setLocalDescription() {
    this.localDescription = { sdp: 'v=0' };
  }
  async setRemoteDescription({ sdp }) {
    this.remote = sdp;
    this.connectionState = 'connected';
    this.dispatchEvent(new Event('connectionstatechange'));
  }
  close() {
    this.connectionState = 'closed';
  }
}
globalThis.RTCPeerConnection = FakeConnection;
const { Session, SessionError } = await import('../static/session.js');

const hash = (text) => createHash('sha256').update(text).digest('base64url');
const token = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');

/** The same peer after it was started again: its signing key stays, the other one is new. */
async function peerThatRestarts() {
  const { self, agreement } = await newKeyPairs(crypto.subtle);
  const before = await fromKeyPairs({ self, agreement }, crypto.subtle, true);
  const after = await fromKeyPairs({ self, agreement: (await newKeyPairs(crypto.subtle)).agreement }, crypto.subtle, true);
  return { before, after };
}

/** A signaling service with one agent behind it, which answers what it can read. */
async function service(agent, viewer, { known, keys = keyStatement(agent), answer } = {}) {
  const sent = [];
  let deliver = () => {};
  return {
    sent,
    knownKeys: () => known,
    lookup: () => keys,
    ready: async () => {},
    listen(listener) {
      deliver = (payload) => listener(agent.peerId, payload);
      return () => {};
    },
    async send(to, payload) {
      sent.push(payload);
      let compact;
      try {
        compact = await unseal(agent, payload);
      } catch {
        return;
      }
      const { payload: text } = await verify(compact);
      const offer = JSON.parse(text);
      if (offer.type !== 'offer') return;
      const base = { from: agent.peerId, to: viewer.peerId, session: offer.session, seq: 1, exp: offer.exp, offerHash: hash(compact) };
      const message = answer ? await answer(offer, base) : { ...base, type: 'answer', nonce: token(), peerNonce: offer.nonce, sdp: 'v=1', ice: [] };
      deliver(await sealTo({ agreementKey: offer.key }, await sign(agent, JSON.stringify(message))));
    },
  };
}

const connect = (agent, identity, signaling, more = {}) =>
  Session.connect({ peer: agent.peerId, identity, signaling, cameras: [], signal: new AbortController().signal, ...more });

test('a session without media is made with one offer, which shows what it is for', async () => {
  const [viewer, agent] = await Promise.all([someone(), someone()]);
  const signaling = await service(agent, viewer);
  const session = await connect(agent, viewer, signaling, { standing: { claim: 'pair' } });
  assert.equal(signaling.sent.length, 1);
  const offer = JSON.parse((await verify(await unseal(agent, signaling.sent[0]))).payload);
  assert.deepEqual([offer.claim, offer.grants, offer.media, offer.key], ['pair', [], [], viewer.agreementKey]);
  assert.match(session.transcript, /^[\w-]{43}$/);
  session.close();
});

test('with a key that is known the offer does not wait, and goes out once', async () => {
  const [viewer, agent] = await Promise.all([someone(), someone()]);
  let found = () => {};
  const keys = new Promise((resolve) => (found = resolve));
  const signaling = await service(agent, viewer, { known: await keyStatement(agent), keys });
  const session = await connect(agent, viewer, signaling);
  found(await keyStatement(agent));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(signaling.sent.length, 1);
  session.close();
});

test('an agent that was started again gets the same offer once more, sealed to its new key', async () => {
  const [viewer, { before, after }] = await Promise.all([someone(), peerThatRestarts()]);
  const signaling = await service(after, viewer, { known: await keyStatement(before) });
  const session = await connect(after, viewer, signaling);
  assert.equal(signaling.sent.length, 2);
  assert.equal(await unseal(before, signaling.sent[0]), await unseal(after, signaling.sent[1]));
  session.close();
});

test('a service that gives another peer’s key is found out, and nothing is sent', async (t) => {
  mock.method(console, 'warn', () => {});
  t.after(() => mock.restoreAll());
  const [viewer, agent, other] = await Promise.all([someone(), someone(), someone()]);
  const signaling = await service(agent, viewer, { keys: keyStatement(other) });
  await assert.rejects(connect(agent, viewer, signaling), { name: 'SessionError', code: 'bad-answer' });
  assert.equal(signaling.sent.length, 0);
});

test('an agent that is not there is not waited for', async () => {
  const [viewer, agent] = await Promise.all([someone(), someone()]);
  const gone = Promise.reject(new SignalingError('unreachable', 'Nobody there.'));
  gone.catch(() => {});
  await assert.rejects(connect(agent, viewer, await service(agent, viewer, { keys: gone })), { code: 'unreachable' });
  // Also if it was there a moment ago.
  const signaling = await service(await someone(), viewer, { known: await keyStatement(agent), keys: gone });
  await assert.rejects(connect(agent, viewer, signaling), { code: 'unreachable' });
});

test('an offer that came too late by the agent’s clock is made once more with it', async () => {
  const [viewer, agent] = await Promise.all([someone(), someone()]);
  const offers = [];
  const hourAgo = Math.floor(Date.now() / 1000) - 3600;
  const signaling = await service(agent, viewer, {
    answer: async (offer, base) => {
      offers.push(offer);
      if (offers.length > 1) return { ...base, type: 'answer', nonce: token(), peerNonce: offer.nonce, sdp: 'v=1', ice: [] };
      return { ...base, type: 'reject', exp: hourAgo + 60, code: 'expired', reason: 'Late.' };
    },
  });
  const options = { peer: agent.peerId, identity: viewer, signaling, signal: new AbortController().signal };
  (await openForRequests(Session.connect, options)).close();
  assert.equal(Math.abs(offers[1].exp - hourAgo - 60) < 5, true);
  const never = await service(agent, viewer, { answer: async (_, base) => ({ ...base, type: 'reject', code: 'expired', reason: 'Late.' }) });
  await assert.rejects(openForRequests(Session.connect, { ...options, signaling: never }), SessionError);
  assert.equal(never.sent.length, 2);
});
