import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { HttpError } from '../static/http1.js';
import { Publisher } from '../static/publisher.js';
import { SessionError } from '../static/session-error.js';
import { TrustError } from '../static/trust.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const settle = async () => {
  for (let i = 0; i < 10; i++) await turn();
};

/** A session whose health the test decides. */
class FakeSession {
  health = 'good';
  closed = false;
  named = '';
  arrivals = 0;
  cameras = [];
  #watchers = new Set();
  #ended = new AbortController();
  http;

  constructor(list) {
    this.http = {
      request: async (path) => {
        if (list === undefined) throw new HttpError('not now');
        if (path === '/v1/events') return { ok: true, body: new ReadableStream() };
        return { ok: true, json: async () => ({ cameras: list }) };
      },
    };
  }

  get ended() {
    return this.#ended.signal;
  }

  get streams() {
    return new Map(this.cameras.map((id) => [id, `stream of ${id}`]));
  }

  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  become(health) {
    this.health = health;
    for (const watcher of [...this.#watchers]) watcher();
  }

  nameFirst(id) {
    this.named = id;
  }

  async setCameras(cameras) {
    this.wanted = cameras;
    this.cameras = cameras.map(({ id }) => id);
  }

  async sample() {
    return { connection: { path: 'direct', roundTripMs: 1 }, cameras: new Map() };
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    this.#ended.abort();
    this.become('closed');
  }
}

/** A publisher whose attempts the test answers one by one. */
function setUp(t, more = {}) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  /** @type {{ options: any, resolve: (session: FakeSession) => void, reject: (error: Error) => void }[]} */
  const attempts = [];
  const connect = (options) =>
    new Promise((resolve, reject) => {
      options.signal.addEventListener('abort', () => reject(new SessionError('aborted', '')));
      attempts.push({ options, resolve, reject });
    });
  const publisher = new Publisher({ peer: 'peer', identity: {}, signaling: { connect() {} }, cameras: [''], connect, ...more });
  void publisher.run();
  t.after(() => {
    publisher.stop();
    mock.timers.reset();
  });
  return { publisher, attempts, state: () => publisher.state.value };
}

const camera = (id, audio = '') => ({ id, name: id, state: 'live', audio, codec: 'H.264', testPattern: false });

test('the first camera gets its name, and more are added to the same session', async (t) => {
  const { publisher, attempts, state } = setUp(t);
  const session = new FakeSession([camera('front', 'Opus'), camera('garden')]);
  assert.deepEqual(attempts[0].options.cameras, ['']);
  attempts[0].resolve(session);
  await settle();
  assert.equal(state().phase, 'connected');
  assert.equal(session.named, 'front');
  publisher.want(['front', 'garden']);
  await settle();
  assert.deepEqual(session.wanted, [{ id: 'front', sound: true }, { id: 'garden', sound: false }]);
  assert.deepEqual([...state().streams.keys()], ['front', 'garden']);
  assert.equal(attempts.length, 1);
});

test('a failed attempt says why, and the next one comes later', async (t) => {
  const { attempts, state } = setUp(t);
  attempts[0].reject(new SessionError('unreachable', 'Gone.'));
  await settle();
  assert.deepEqual([state().phase, state().problem], ['waiting', { code: 'unreachable', message: 'Gone.' }]);
  assert.equal(attempts.length, 1);
  mock.timers.tick(500);
  await settle();
  assert.equal(attempts.length, 2);
  assert.equal(state().problem.code, 'unreachable');
  attempts[1].resolve(new FakeSession());
  await settle();
  assert.deepEqual([state().phase, state().problem], ['connected', null]);
});

test('a person may try again at once', async (t) => {
  const { publisher, attempts } = setUp(t);
  attempts[0].reject(new SessionError('forbidden', 'No.'));
  await settle();
  mock.timers.tick(5000);
  await settle();
  assert.equal(attempts.length, 1);
  publisher.retry();
  await settle();
  assert.equal(attempts.length, 2);
});

test('an offer that came too late by the agent’s clock is made again with it', async (t) => {
  const { attempts } = setUp(t);
  attempts[0].reject(new SessionError('expired', 'Late.', -3_600_000));
  await settle();
  assert.equal(attempts.length, 2);
  assert.equal(attempts[1].options.clockOffsetMs, -3_600_000);
});

test('a silent session stays on the screen until the new one is there', async (t) => {
  const { attempts, state } = setUp(t);
  const old = new FakeSession();
  attempts[0].resolve(old);
  await settle();
  old.become('silent');
  await settle();
  assert.deepEqual([state().phase, state().shaky, old.closed, attempts.length], ['connected', true, false, 2]);
  attempts[1].reject(new SessionError('unreachable', ''));
  await settle();
  assert.deepEqual([state().phase, old.closed], ['connected', false]);
  mock.timers.tick(500);
  await settle();
  const next = new FakeSession();
  attempts[2].resolve(next);
  await settle();
  assert.deepEqual([state().phase, state().shaky, old.closed, next.closed], ['connected', false, true, false]);
});

test('a session that comes back ends the attempt to replace it', async (t) => {
  const { attempts, state } = setUp(t);
  const old = new FakeSession();
  attempts[0].resolve(old);
  await settle();
  old.become('silent');
  await settle();
  old.become('good');
  await settle();
  assert.equal(attempts[1].options.signal.aborted, true);
  assert.deepEqual([state().phase, state().shaky, state().problem, old.closed], ['connected', false, null, false]);
});

test('a session that dies while it is being replaced leaves the screen', async (t) => {
  const { attempts, state } = setUp(t);
  const old = new FakeSession();
  attempts[0].resolve(old);
  await settle();
  old.become('silent');
  await settle();
  old.close();
  await settle();
  assert.equal(state().phase, 'connecting');
  assert.equal(state().streams.size, 0);
});

test('a session that dies between two attempts leaves the screen', async (t) => {
  const { attempts, state } = setUp(t);
  const old = new FakeSession();
  attempts[0].resolve(old);
  await settle();
  old.become('silent');
  await settle();
  attempts[1].reject(new SessionError('unreachable', ''));
  await settle();
  old.close();
  await settle();
  assert.notEqual(state().phase, 'connected');
  assert.equal(state().streams.size, 0);
});

test('an agent that refuses ends the old session too', async (t) => {
  const { attempts, state } = setUp(t);
  const old = new FakeSession();
  attempts[0].resolve(old);
  await settle();
  old.become('silent');
  await settle();
  attempts[1].reject(new SessionError('forbidden', 'No.'));
  await settle();
  assert.deepEqual([state().phase, state().problem.code, old.closed], ['waiting', 'forbidden', true]);
});

test('more cameras than a session carries are named and not asked for', async (t) => {
  const { publisher, attempts, state } = setUp(t);
  const list = Array.from({ length: 18 }, (_, i) => camera(`c${i}`));
  const session = new FakeSession(list);
  attempts[0].resolve(session);
  await settle();
  publisher.want(list.map(({ id }) => id));
  await settle();
  assert.equal(session.wanted.length, 16);
  assert.deepEqual(Object.keys(state().refused), ['c16', 'c17']);
});

test('a session that is full makes room by a new one', async (t) => {
  const { publisher, attempts } = setUp(t);
  const session = new FakeSession([camera('a'), camera('b')]);
  attempts[0].resolve(session);
  await settle();
  session.setCameras = async () => {
    throw new SessionError('full', '');
  };
  publisher.want(['b']);
  await settle();
  assert.equal(session.closed, true);
  assert.deepEqual(attempts[1].options.cameras, ['b']);
});

test('stopping ends the session and the attempts', async (t) => {
  const { publisher, attempts } = setUp(t);
  const session = new FakeSession();
  attempts[0].resolve(session);
  await settle();
  publisher.stop();
  await settle();
  mock.timers.tick(60_000);
  await settle();
  assert.deepEqual([session.closed, attempts.length], [true, 1]);
});

/** The page's Trust, whose claims the test answers. */
class FakeTrust {
  claims = [];
  grants = ['a.b.c'];
  me = { role: 'guest' };

  async grantsFor() {
    return this.grants;
  }

  async attach({ peer, http }) {
    this.attached = { peer, http };
    return this.me;
  }

  claim(request, { onPhase }) {
    return new Promise((resolve, reject) => this.claims.push({ request, onPhase, resolve, reject }));
  }
}

test('grants are shown in the offer, and what they give is known once connected', async (t) => {
  const trust = new FakeTrust();
  const { attempts, state } = setUp(t, { trust });
  await settle();
  assert.deepEqual(await attempts[0].options.standing, { grants: ['a.b.c'] });
  assert.equal(state().me, null);
  const session = new FakeSession([camera('front')]);
  attempts[0].resolve(session);
  await settle();
  assert.deepEqual([trust.attached.peer, trust.attached.http, state().me], ['peer', session.http, trust.me]);
});

test('a secret is proved before anything is watched, and again after a failure', async (t) => {
  const trust = new FakeTrust();
  const claim = { kind: 'pair', invite: '', secret: 'secret' };
  const { publisher, attempts, state } = setUp(t, { trust, claim });
  await settle();
  assert.deepEqual([attempts.length, state().claim.phase], [0, 'asking']);
  void publisher.claim({ name: 'Ada', device: 'Laptop' });
  void publisher.claim({ name: 'Ada', device: 'Laptop' });
  await settle();
  assert.equal(trust.claims.length, 1);
  assert.deepEqual(trust.claims[0].request, { peer: 'peer', claim, name: 'Ada', device: 'Laptop', home: undefined });
  trust.claims[0].onPhase('proving');
  assert.equal(state().claim.phase, 'proving');
  trust.claims[0].reject(new TrustError('locked', 'Wait.', 60));
  await settle();
  assert.deepEqual(state().claim, {
    kind: 'pair', phase: 'failed', role: '', problem: { code: 'locked', message: 'Wait.' }, retryAfterSeconds: 60,
  });
  assert.equal(attempts.length, 0);
  void publisher.claim({ name: 'Ada', device: 'Laptop' });
  assert.deepEqual([state().claim.phase, state().claim.problem], ['connecting', null]);
  trust.claims[1].resolve({ role: 'owner' });
  await settle();
  assert.deepEqual([state().claim.phase, state().claim.role, attempts.length], ['done', 'owner', 1]);
});

test('a secret can be left alone', async (t) => {
  const { publisher, attempts, state } = setUp(t, { trust: new FakeTrust(), claim: { kind: 'invite', invite: 'x', secret: 'y' } });
  publisher.skipClaim();
  await settle();
  assert.deepEqual([state().claim, attempts.length], [null, 1]);
  await publisher.claim({ name: '', device: '' });
  assert.equal(state().claim, null);
});

test('a page that goes away while it asks for a name asks nothing of the agent', async (t) => {
  const { publisher, attempts } = setUp(t, { trust: new FakeTrust(), claim: { kind: 'pair', invite: '', secret: 'y' } });
  publisher.stop();
  await settle();
  assert.equal(attempts.length, 0);
});
