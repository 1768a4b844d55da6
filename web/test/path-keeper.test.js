import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { PathKeeper } from '../static/path-keeper.js';

const settle = async () => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A session that plays 25 pictures a second until it is stopped. */
function setUp(t, more = {}) {
  mock.method(console, 'info', () => {});
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const ended = new AbortController();
  const clock = { ms: 1_000, asleepMs: 0 };
  const session = {
    ended: ended.signal, arrivals: 0, restarts: true, alive: false, done: [], doubts: 0, probes: 0,
    async probe(ms) {
      this.probes += 1;
      this.waited = ms;
      return this.alive;
    },
    async restart() {
      this.done.push('restart');
      if (this.fails) throw new Error('no');
    },
    gathering: { checkAgain: async () => void session.done.push('check') },
    doubt() {
      this.doubts += 1;
    },
    ...more,
  };
  const network = new EventTarget();
  const keeper = new PathKeeper(session, { now: () => clock.ms, wallNow: () => clock.ms + clock.asleepMs });
  keeper.run(network);
  t.after(() => {
    ended.abort();
    mock.timers.reset();
    mock.restoreAll();
  });
  const pass = async (ms, everyMs = 0) => {
    for (let gone = 0; gone < ms; gone += 20) {
      clock.ms += 20;
      if (everyMs && clock.ms % everyMs === 0) session.arrivals += 1;
      mock.timers.tick(20);
      await settle();
    }
  };
  return { session, network, keeper, clock, ended, pass };
}

test('a picture that stops while nobody answers costs a restart, soon and then seldom', async (t) => {
  const { session, pass } = setUp(t);
  await pass(1_000, 40);
  assert.deepEqual([session.probes, session.done], [0, []]);
  await pass(500);
  assert.deepEqual([session.done, session.waited], [['restart'], 300]);
  await pass(60_000);
  assert.ok(session.done.length >= 4 && session.done.length <= 12, `${session.done.length} restarts`);
});

test('a camera that stops is not the path’s fault', async (t) => {
  const { session, pass } = setUp(t, { alive: true });
  await pass(1_000, 40);
  await pass(60_000);
  assert.deepEqual(session.done, []);
  assert.ok(session.probes <= 12, `${session.probes} questions`);
});

test('a session without a picture, and one whose pictures come seldom, are left alone', async (t) => {
  const idle = setUp(t);
  await idle.pass(10_000);
  assert.equal(idle.session.probes, 0);
  mock.timers.reset();
  const seldom = setUp(t, { alive: true });
  await seldom.pass(20_000, 1_000);
  assert.ok(seldom.session.probes <= 3, 'only until the pace is known');
  assert.deepEqual(seldom.session.done, []);
});

test('a network that changes, or a night’s sleep, is a reason to ask, and an answer is enough', async (t) => {
  const { session, network, clock, pass } = setUp(t, { alive: true });
  network.dispatchEvent(new Event('change'));
  await settle();
  assert.deepEqual([session.probes, session.done], [1, []]);
  clock.asleepMs = 3_600_000;
  await pass(100);
  assert.deepEqual([session.probes, session.done], [2, []]);
  session.alive = false;
  network.dispatchEvent(new Event('change'));
  await settle();
  assert.deepEqual(session.done, ['restart']);
});

test('an agent that asks is asked back, and a path that works is not given up for it', async (t) => {
  const { session } = setUp(t, { alive: true });
  session.onrestartrequest();
  await settle();
  assert.deepEqual([session.done, session.doubts], [['check'], 0]);
  session.alive = false;
  session.onrestartrequest();
  await settle();
  assert.deepEqual(session.done, ['check', 'restart']);
});

test('a restart that brings nothing at once is followed by a doubt, one that brings something is not', async (t) => {
  const { session, pass } = setUp(t);
  await pass(1_000, 40);
  await pass(1_000);
  assert.deepEqual([session.done, session.doubts], [['restart'], 0]);
  await pass(300);
  assert.deepEqual([session.done, session.doubts], [['restart'], 1]);
  await pass(1_000, 40);
  await pass(600);
  await pass(1_000, 40);
  assert.deepEqual([session.done.length, session.doubts], [2, 1]);
});

test('on a relay something better is checked after 5 s, and then ever more seldom', async (t) => {
  const { session, keeper, clock } = setUp(t, { alive: true });
  const seconds = async (n, path = 'relayed') => {
    for (let i = 0; i < n; i++) {
      clock.ms += 1_000;
      keeper.see({ path, roundTripMs: 5 });
      await settle();
    }
    return session.done.length;
  };
  const expected = [[5, 0], [1, 1], [9, 1], [1, 2], [19, 2], [1, 3], [40, 4], [80 + 160 + 320 + 640, 8], [899, 8], [1, 9], [900, 10]];
  for (const [n, checks] of expected) assert.equal(await seconds(n), checks);
  assert.equal(await seconds(10, 'direct'), 10);
  assert.equal(await seconds(6), 11);
  assert.deepEqual([...new Set(session.done)], ['check']);
});

test('there is one restart at a time, and none after the end', async (t) => {
  let end = () => {};
  const { session, network, ended } = setUp(t, { restart: () => new Promise((resolve) => (end = resolve)) });
  network.dispatchEvent(new Event('change'));
  await settle();
  network.dispatchEvent(new Event('change'));
  session.onrestartrequest();
  await settle();
  assert.equal(session.probes, 1);
  end();
  await settle();
  ended.abort();
  session.onrestartrequest();
  await settle();
  assert.equal(session.probes, 1);
});

test('where no restart can be agreed on the session is doubted', async (t) => {
  const failing = setUp(t, { fails: true });
  failing.network.dispatchEvent(new Event('change'));
  await settle();
  assert.deepEqual([failing.session.done.length, failing.session.doubts], [1, 1]);
  mock.timers.reset();
  const direct = setUp(t, { restarts: false });
  direct.network.dispatchEvent(new Event('change'));
  await settle();
  assert.deepEqual([direct.session.done.length, direct.session.doubts], [0, 1]);
});
