import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { verify } from '../static/jws.js';
import { openKeyStatement } from '../static/keys.js';
import { canonicalHost, Signaling, SignalingError, subprotocol } from '../static/signaling.js';
import { someone } from './someone.js';

const identity = await someone();
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Signatures are made on another thread. */
const until = async (condition) => {
  while (!condition()) await turn();
};

function setUp() {
  /** @type {FakeSocket[]} */
  const sockets = [];
  class FakeSocket {
    sent = [];
    closed = false;

    constructor(url, protocol) {
      Object.assign(this, { url, protocol });
      sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close() {
      if (this.closed) return;
      this.closed = true;
      this.onclose?.();
    }

    say(frame) {
      this.onmessage({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
    }
  }
  const signaling = new Signaling({ url: 'ws://Cam.example:80/v1/signal', identity, WebSocket: FakeSocket, random: () => 0.5 });
  const register = async (at = sockets.length - 1, resume = 'token') => {
    sockets[at].say({ type: 'challenge', nonce: 'nonce' });
    await until(() => sockets[at].sent.length > 0);
    sockets[at].say({ type: 'registered', id: identity.peerId, resume, resumed: false });
  };
  return { signaling, sockets, register };
}

test('it proves who it is, to this service and for this challenge only', async () => {
  const { signaling, sockets, register } = setUp();
  const ready = signaling.ready();
  assert.equal(sockets[0].protocol, subprotocol);
  await register();
  await ready;
  assert.equal(signaling.state, 'online');
  const { type, jws, keys } = sockets[0].sent[0];
  assert.equal(type, 'register');
  assert.equal((await openKeyStatement(keys, identity.peerId)).text, identity.agreementKey);
  const { payload, from } = await verify(jws);
  assert.equal(from, identity.peerId);
  assert.deepEqual(JSON.parse(payload), { type: 'register', nonce: 'nonce', host: 'cam.example', id: identity.peerId, resume: '' });
  signaling.close();
});

test('the service has one name, however its address is written', () => {
  const names = {
    'ws://127.0.0.1:8787/v1/signal': '127.0.0.1:8787',
    'wss://Cam.Example./v1/signal': 'cam.example',
    'ws://cam.example:443/': 'cam.example',
    'wss://cam.example:80/': 'cam.example',
    'ws://[::1]:80/': '[::1]',
  };
  for (const [url, host] of Object.entries(names)) assert.equal(canonicalHost(url), host, url);
});

test('messages go out with a number and come in from others', async () => {
  const { signaling, sockets, register } = setUp();
  assert.throws(() => signaling.send('peer', 'x'), SignalingError);
  const ready = signaling.ready();
  await register();
  await ready;
  const seen = [];
  const stop = signaling.listen((from, payload) => seen.push([from, payload]));
  signaling.send('peer', 'jws');
  assert.deepEqual(sockets[0].sent[1], { type: 'send', to: 'peer', ref: 1, payload: 'jws' });
  sockets[0].say({ type: 'message', from: 'peer', payload: 'answer' });
  stop();
  sockets[0].say({ type: 'message', from: 'peer', payload: 'late' });
  assert.deepEqual(seen, [['peer', 'answer']]);
  signaling.close();
});

test('an error reaches the message it is about, once', async () => {
  const { signaling, sockets, register } = setUp();
  const ready = signaling.ready();
  await register();
  await ready;
  const errors = [];
  signaling.send('a', 'x', (error) => errors.push(['a', error.code]));
  signaling.send('b', 'x', (error) => errors.push(['b', error.code]));
  for (let i = 0; i < 2; i++) sockets[0].say({ type: 'error', code: 'unreachable', ref: 2, message: 'Gone.' });
  sockets[0].say({ type: 'error', code: 'rate_limited', ref: 0, message: 'Slower.' });
  assert.deepEqual(errors, [['b', 'unreachable']]);
  signaling.close();
});

test('it comes back after a loss, later and later, and resumes', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { signaling, sockets, register } = setUp();
  signaling.connect();
  await register(0, 'first');
  sockets[0].close();
  await turn();
  assert.equal(signaling.state, 'offline');
  mock.timers.tick(374);
  await turn();
  assert.equal(sockets.length, 1);
  mock.timers.tick(1);
  await turn();
  assert.equal(sockets.length, 2);
  sockets[1].close();
  await turn();
  mock.timers.tick(749);
  await turn();
  assert.equal(sockets.length, 2);
  mock.timers.tick(1);
  await turn();
  await register(2);
  const { payload } = await verify(sockets[2].sent[0].jws);
  assert.equal(JSON.parse(payload).resume, 'first');
  signaling.close();
  await turn();
  assert.equal(sockets[2].closed, true);
});

test('a service that never registers anyone is given up and dialled again', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { signaling, sockets } = setUp();
  signaling.connect();
  mock.timers.tick(10_000);
  await turn();
  assert.equal(sockets[0].closed, true);
  mock.timers.tick(500);
  await turn();
  assert.equal(sockets.length, 2);
  signaling.close();
});

test('when another tab takes over it stays away until it is needed', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { signaling, sockets, register } = setUp();
  signaling.connect();
  await register();
  sockets[0].say({ type: 'error', code: 'displaced', ref: 0, message: 'Elsewhere.' });
  assert.equal(signaling.state, 'displaced');
  await turn();
  mock.timers.tick(60_000);
  await turn();
  assert.equal(sockets.length, 1);
  const ready = signaling.ready();
  assert.equal(sockets.length, 2);
  await register();
  await ready;
  signaling.close();
});

test('waiting for the service ends when it is given up', async () => {
  const { signaling } = setUp();
  const stop = new AbortController();
  const ready = signaling.ready(stop.signal);
  stop.abort();
  await assert.rejects(ready, { code: 'offline' });
  const waiting = signaling.ready();
  signaling.close();
  await assert.rejects(waiting, { code: 'offline' });
});

test('a frame that is none ends the connection', async () => {
  for (const frame of ['{', '[]', 'null', '{}', 'x'.repeat(102_401)]) {
    const { signaling, sockets } = setUp();
    signaling.connect();
    sockets[0].say(frame);
    assert.equal(sockets[0].closed, true);
    signaling.close();
  }
});

test('a peer’s key is asked for right behind the registration', async () => {
  const { signaling, sockets } = setUp();
  const keys = signaling.lookup('peer');
  sockets[0].say({ type: 'challenge', nonce: 'nonce' });
  await until(() => sockets[0].sent.length === 2);
  assert.deepEqual(sockets[0].sent.map(({ type }) => type), ['register', 'lookup']);
  assert.deepEqual(sockets[0].sent[1], { type: 'lookup', to: 'peer', ref: 1 });
  sockets[0].say({ type: 'registered', id: identity.peerId, resume: '', resumed: false });
  assert.equal(signaling.knownKeys('peer'), undefined);
  sockets[0].say({ type: 'keys', of: 'other', ref: 1, keys: 'wrong' });
  sockets[0].say({ type: 'keys', of: 'peer', ref: 1, keys: 'statement' });
  assert.equal(await keys, 'statement');
  assert.equal(signaling.knownKeys('peer'), 'statement');
  const again = signaling.lookup('peer');
  assert.deepEqual(sockets[0].sent[2], { type: 'lookup', to: 'peer', ref: 2 });
  sockets[0].say({ type: 'error', code: 'unreachable', ref: 2, message: 'Gone.' });
  await assert.rejects(again, { code: 'unreachable' });
  assert.equal(signaling.knownKeys('peer'), undefined);
  signaling.close();
});

test('a question that a lost connection took along is asked again, and keys are known to one connection only', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { signaling, sockets, register } = setUp();
  const first = signaling.lookup('a');
  await register();
  await until(() => sockets[0].sent.length === 2);
  sockets[0].say({ type: 'keys', of: 'a', ref: 1, keys: 'statement' });
  await first;
  const second = signaling.lookup('b');
  sockets[0].close();
  await turn();
  assert.equal(signaling.knownKeys('a'), undefined);
  mock.timers.tick(500);
  await turn();
  await register(1);
  await until(() => sockets[1].sent.length === 2);
  assert.deepEqual(sockets[1].sent[1], { type: 'lookup', to: 'b', ref: 2 });
  sockets[1].say({ type: 'keys', of: 'b', ref: 2, keys: 'statement' });
  assert.equal(await second, 'statement');
  signaling.close();
});

test('a question ends when it is given up or the connection is closed for good', async () => {
  const { signaling, sockets, register } = setUp();
  const stop = new AbortController();
  const given = signaling.lookup('a', stop.signal);
  const rest = signaling.lookup('b');
  stop.abort();
  await assert.rejects(given, { code: 'offline' });
  await register();
  await until(() => sockets[0].sent.length === 2);
  assert.equal(sockets[0].sent[1].to, 'b');
  signaling.close();
  await assert.rejects(rest, { code: 'offline' });
  await assert.rejects(signaling.lookup('c'), { code: 'offline' });
});

test('the service’s STUN servers are known while it is, as far as they are some', async () => {
  const { signaling, sockets } = setUp();
  signaling.connect();
  const say = (stun) => (sockets[0].say({ type: 'registered', id: identity.peerId, resume: '', stun, relay: false }), signaling.stun);
  assert.deepEqual(say(['stun:a:3478', 'stun:b:3478']), [
    { urls: ['stun:a:3478', 'stun:b:3478'], username: '', credential: '', expires: 0 },
  ]);
  for (const bad of [undefined, [], 'stun:a', ['turn:a'], ['https://a'], [1], Array(5).fill('stun:a')]) assert.deepEqual(say(bad), []);
  signaling.close();
});

test('a socket that carries nothing any more is given up and made anew at once', async (t) => {
  const { signaling, sockets, register } = setUp();
  signaling.connect();
  await register();
  const fine = signaling.check('peer', 1_000);
  sockets[0].say({ type: 'error', code: 'unreachable', ref: 1, message: 'Gone.' });
  await fine;
  assert.equal(sockets.length, 1);
  sockets[0].close = () => {}; // a browser waits for the other side
  const timeout = new AbortController();
  t.mock.method(AbortSignal, 'timeout', () => timeout.signal);
  const checked = signaling.check('peer', 300);
  const lookup = signaling.lookup('other');
  timeout.abort();
  await checked;
  await until(() => sockets.length === 2);
  sockets[1].say({ type: 'challenge', nonce: 'nonce' });
  await until(() => sockets[1].sent.length === 2);
  assert.deepEqual(sockets[1].sent.map(({ type }) => type), ['register', 'lookup']);
  sockets[1].say({ type: 'keys', of: 'other', ref: 3, keys: 'statement' });
  assert.equal(await lookup, 'statement');
  signaling.close();
});
