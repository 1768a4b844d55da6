import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { fromKeyPairs, newKeyPairs } from '../static/identity.js';
import { candidatesAgain } from '../static/gathering.js';
import { unseal } from '../static/jwe.js';
import { sign, verify } from '../static/jws.js';
import { keyStatement } from '../static/keys.js';
import { openForRequests } from '../static/requests.js';
import { SessionError } from '../static/session-error.js';
import { SignalingError } from '../static/signaling.js';
import { sealTo, someone } from './someone.js';

/** As much of a peer connection as a session without media needs. */
class FakeConnection extends EventTarget {
  static all = [];
  connectionState = 'new';
  iceGatheringState = 'new';
  signalingState = 'stable';
  localDescription = null;
  sctp = null;
  configuration = { iceServers: [] };
  restarts = 0;
  #generation = 0;

  constructor() {
    super();
    FakeConnection.all.push(this);
  }
  createDataChannel() {
    return {};
  }
  getConfiguration() {
    return this.configuration;
  }
  setConfiguration(configuration) {
    this.configuration = configuration;
  }
  restartIce() {
    this.restarts += 1;
  }
  async setLocalDescription(description) {
    if (description?.type === 'rollback') {
      this.rolledBack = true;
      this.signalingState = 'stable';
      return;
    }
    this.#generation += 1;
    const fingerprint = 'AB:'.repeat(32).slice(0, -1);
    this.localDescription = { sdp: `v=0\r\no=${this.#generation}\r\na=fingerprint:sha-256 ${fingerprint}\r\n` };
    this.signalingState = 'have-local-offer';
  }
  async setRemoteDescription({ sdp }) {
    this.remote = sdp;
    this.signalingState = 'stable';
    if (FakeConnection.dead) return;
    this.become('connected');
  }
  async addIceCandidate(candidate) {
    this.added = candidate;
  }
  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
  find(candidate) {
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: { candidate: 'candidate:1', sdpMid: '0', ...candidate } }));
  }
  close() {
    this.connectionState = 'closed';
  }
}
globalThis.RTCPeerConnection = FakeConnection;
const { Session } = await import('../static/session.js');

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
    host: 'cam.example',
    state: 'online',
    stun: [],
    knownKeys: () => known,
    lookup: () => keys,
    check: async () => {},
    ready: async () => {},
    listen(listener) {
      deliver = (payload) => listener(agent.peerId, payload);
      return () => {};
    },
    deliver: (payload) => deliver(payload),
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
  assert.equal(Math.abs(offers[1].exp - hourAgo - 60) < 600, true);
  const never = await service(agent, viewer, { answer: async (_, base) => ({ ...base, type: 'reject', code: 'expired', reason: 'Late.' }) });
  await assert.rejects(openForRequests(Session.connect, { ...options, signaling: never }), SessionError);
  assert.equal(never.sent.length, 2);
});

/** Lets everything happen that waits for nothing but signatures. */
const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};
const stun = (...urls) => ({ urls: urls.map((url) => `stun:${url}`), username: '', credential: '', expires: 0 });
const relay = { urls: ['turn:r.example:3478'], username: 'u', credential: 'p', expires: 0 };

/** An agent that answers restarts, too. */
async function restartable() {
  const [viewer, agent] = await Promise.all([someone(), someone()]);
  const state = { offer: null, base: null, seen: [] };
  const signaling = await service(agent, viewer, {
    answer: async (offer, base) => {
      Object.assign(state, { offer, base });
      return { ...base, type: 'answer', nonce: token(), peerNonce: offer.nonce, sdp: 'v=1', ice: [relay] };
    },
  });
  const { send } = signaling;
  signaling.send = async (to, payload, onError) => {
    const { payload: text } = await verify(await unseal(agent, payload));
    const message = JSON.parse(text);
    if (message.type === 'offer') return send(to, payload);
    state.seen.push(message);
    if (message.type === 'restart' && state.onrestart) {
      const { offerHash, ...base } = state.base;
      const more = await state.onrestart(message, onError);
      if (!more) return;
      const answer = { ...base, seq: message.seq + 10, transcript: message.transcript, ...more };
      signaling.deliver(await sealTo({ agreementKey: state.offer.key }, await sign(agent, JSON.stringify(answer))));
    }
  };
  const restarted = ({ seq }) => ({ type: 'restarted', restart: seq, sdp: 'v=2', ice: [] });
  return { viewer, agent, signaling, state, restarted };
}

test('ICE starts again over the service, and candidates follow the offer at once', async () => {
  const { viewer, agent, signaling, state, restarted } = await restartable();
  signaling.stun = [stun('a', 'b')];
  const session = await connect(agent, viewer, signaling);
  const connection = FakeConnection.all.at(-1);
  assert.deepEqual(connection.configuration.iceServers, [
    { urls: ['turn:r.example:3478'], username: 'u', credential: 'p' },
    { urls: ['stun:a', 'stun:b'] },
  ]);
  state.onrestart = (message) => (connection.find({ candidate: 'candidate:2' }), restarted(message));
  await session.restart();
  assert.deepEqual([connection.restarts, connection.remote, state.seen[0].sdp.includes('o=2')], [1, 'v=2', true]);
  await until(() => state.seen.length > 1);
  assert.deepEqual(state.seen.map(({ type }) => type), ['restart', 'candidate']);
  session.close();
});

test('a restart that is refused is taken back, and two at a time are one', async () => {
  const { viewer, agent, signaling, state, restarted } = await restartable();
  const session = await connect(agent, viewer, signaling);
  const connection = FakeConnection.all.at(-1);
  state.onrestart = (_, onError) => void onError(new SignalingError('unreachable', 'Gone.'));
  await assert.rejects(session.restart(), { code: 'unreachable' });
  assert.deepEqual([connection.rolledBack, connection.signalingState, session.restarts], [true, 'stable', true]);
  state.onrestart = restarted;
  await Promise.all([session.restart(), session.restart()]);
  assert.equal(connection.restarts, 2);
  session.close();
});

test('servers that only the answer names are used when no path comes without them', async (t) => {
  const { viewer, agent, signaling, state, restarted } = await restartable();
  FakeConnection.dead = true;
  t.after(() => (FakeConnection.dead = false));
  const connecting = connect(agent, viewer, signaling);
  state.onrestart = (message) => {
    FakeConnection.dead = false;
    return restarted(message);
  };
  const session = await connecting;
  assert.equal(FakeConnection.all.at(-1).restarts, 1);
  session.close();
});

test('an offer waits a moment for the address that a server sees', async (t) => {
  const { viewer, agent, signaling, state } = await restartable();
  signaling.stun = [stun('a')];
  t.mock.timers.enable({ apis: ['setTimeout'] }); // or the moment is over on a busy machine
  const connecting = connect(agent, viewer, signaling);
  await until(() => FakeConnection.all.at(-1).localDescription);
  const connection = FakeConnection.all.at(-1);
  connection.find({ type: 'host' });
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(state.offer, null);
  connection.localDescription = { sdp: 'v=with' };
  connection.find({ type: 'srflx' });
  (await connecting).close();
  assert.equal(state.offer.sdp, 'v=with');
});

test('a direct dial needs a ticket, no service, and cannot start ICE again', async () => {
  const viewer = await someone();
  const key = await crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const ticket = { key, expiresUnix: 1, addresses: ['192.0.2.1:4'], fingerprint: 'sha-256 AB' };
  const options = { peer: (await someone()).peerId, identity: viewer, signaling: {}, cameras: [], signal: new AbortController().signal };
  await assert.rejects(Session.dial({ ...options, book: { ticket: async () => null } }), { code: 'no-ticket' });
  const session = await Session.dial({ ...options, clockOffsetMs: 3_600_000, book: { ticket: async () => ticket } });
  const [, fragment] = /a=ice-ufrag:sl(.{195})\r\n/.exec(FakeConnection.all.at(-1).remote);
  const ahead = Buffer.from(fragment, 'base64').readUInt32BE(38) - Date.now() / 1000;
  assert.ok(Math.abs(ahead - 3600) < 60, `${ahead} s`);
  assert.deepEqual([session.restarts, session.transcript, session.health], [false, '', 'good']);
  await assert.rejects(session.restart(), { code: 'no-restart' });
  session.doubt();
  assert.equal(session.health, 'silent');
  session.close();
});

test('addresses that were given up are checked again as ones that the browser does not know', () => {
  const line = (text) => `a=candidate:${text}\r\n`;
  const sdp = ['1 1 udp 2130706431 192.0.2.1 4000 typ host', '2 1 udp 1694498815 203.0.113.9 4000 typ srflx raddr 0.0.0.0 rport 0',
    '1 2 udp 2130706430 192.0.2.1 4000 typ host', '3 1 tcp 1518214911 192.0.2.1 4000 typ host tcptype passive',
    '4 1 udp 16777215 203.0.113.1 5000 typ relay raddr 0.0.0.0 rport 0', 'again1x0 1 udp 2130706175 192.0.2.1 4000 typ host'].map(line).join('');
  assert.deepEqual(candidatesAgain(sdp, 2), [
    'candidate:again2x0 1 udp 2130705919 192.0.2.1 4000 typ host',
    'candidate:again2x1 1 udp 1694498303 203.0.113.9 4000 typ srflx raddr 0.0.0.0 rport 9',
  ]);
  assert.deepEqual(candidatesAgain('', 1), []);
});
