import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { reach } from '../static/reach.js';
import { SessionError } from '../static/session-error.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function setUp(t, { state = 'connecting', ticket = {} } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const ways = {};
  for (const way of ['connect', 'dial']) {
    ways[way] = (options) =>
      new Promise((resolve, reject) => {
        options.signal.addEventListener('abort', () => reject(new SessionError('aborted', '')));
        Object.assign(ways, { [`${way}ed`]: { options, resolve, reject } });
      });
  }
  const given = new AbortController();
  const signaling = { state };
  const outcome = reach({ peer: 'peer', signaling, book: { ticket: async () => ticket }, signal: given.signal }, ways);
  outcome.catch(() => {});
  return { ways, outcome, signaling, given };
}
const session = () => ({ closed: false, close() { this.closed = true; } });

test('as long as the service answers nobody is dialled', async (t) => {
  const { ways, outcome } = setUp(t, { state: 'online' });
  mock.timers.tick(5_000);
  await turn();
  assert.equal(ways.dialed, undefined);
  const made = session();
  ways.connected.resolve(made);
  assert.equal(await outcome, made);
});

test('a service that is silent for a second is not waited for, and the first session counts', async (t) => {
  const { ways, outcome } = setUp(t);
  await turn();
  assert.equal(ways.dialed, undefined);
  mock.timers.tick(1_000);
  await turn();
  const made = session();
  ways.dialed.resolve(made);
  assert.equal(await outcome, made);
  assert.equal(ways.connected.options.signal.aborted, true);
});

test('of two sessions the later one is closed', async (t) => {
  const { ways, outcome } = setUp(t);
  mock.timers.tick(1_000);
  await turn();
  const [first, second] = [session(), session()];
  ways.connected.resolve(first);
  ways.dialed.resolve(second);
  assert.equal(await outcome, first);
  await turn();
  assert.deepEqual([first.closed, second.closed], [false, true]);
});

test('an agent that the service does not find is dialled at once; what failed first is what people are told', async (t) => {
  const { ways, outcome } = setUp(t, { state: 'online' });
  ways.connected.reject(new SessionError('unreachable', 'Gone.'));
  await turn();
  ways.dialed.reject(new SessionError('no-route', 'Nothing.'));
  await assert.rejects(outcome, { code: 'unreachable' });
});

test('an agent that refuses is not dialled, nor one that gave no ticket', async (t) => {
  const refused = setUp(t, { state: 'online' });
  refused.ways.connected.reject(new SessionError('forbidden', 'No.'));
  await assert.rejects(refused.outcome, { code: 'forbidden' });
  assert.equal(refused.ways.dialed, undefined);
  mock.timers.reset();
  const without = setUp(t, { ticket: null });
  mock.timers.tick(1_000);
  await turn();
  without.ways.connected.reject(new SessionError('no-signaling', 'Gone.'));
  await assert.rejects(without.outcome, { code: 'no-signaling' });
  assert.equal(without.ways.dialed, undefined);
});

test('whoever gives up gives both up', async (t) => {
  const { ways, outcome, given } = setUp(t);
  mock.timers.tick(1_000);
  await turn();
  given.abort();
  await assert.rejects(outcome, { code: 'aborted' });
  assert.equal(ways.dialed.options.signal.aborted, true);
});
