import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { PathNotes } from '../static/path-notes.js';

const settle = async () => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A session with an agent that answers what it knows. */
function setUp(t, answers, nowMs = 1_000_000) {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(console, 'debug', () => {});
  const ended = new AbortController();
  t.after(() => {
    ended.abort();
    mock.timers.reset();
    mock.restoreAll();
  });
  const asked = [];
  const kept = [];
  const http = {
    async request(path, { method }) {
      asked.push(`${method} ${path}`);
      const answer = answers[path];
      return { ok: answer !== undefined, status: answer ? 200 : 404, headers: new Headers(), json: async () => answer ?? {} };
    },
  };
  const book = {
    keepServers: async (peer, servers) => void kept.push([peer, servers]),
    keepTicket: async (peer, ticket) => (kept.push([peer, ticket]), ticket),
  };
  const gathering = { found: [], complete: true, stunServers: 0, use: (servers) => kept.push(['used', servers]) };
  const notes = new PathNotes({ peer: 'peer', session: { http, ended: ended.signal, gathering }, book, now: () => nowMs });
  return { notes, asked, kept, ended };
}
const relay = { urls: ['turn:r.example'], username: 'u', credential: 'p', expires: 1_000 + 7_200 };
const network = { udp: 'blocked', mapping: 'unknown', candidates: [] };

test('servers and a ticket are asked for at once, and again after half of their time', async (t) => {
  const ticket = { expiresUnix: 1_000 + 30 * 86_400 };
  const { notes, asked, kept, ended } = setUp(t, { '/v1/ice': { servers: [relay] }, '/v1/tickets': ticket });
  const done = notes.run();
  await settle();
  assert.deepEqual(asked, ['GET /v1/ice', 'POST /v1/tickets']);
  assert.deepEqual(new Set(kept), new Set([['peer', ticket], ['peer', [relay]], ['used', [relay]]]));
  mock.timers.tick(3_599_999);
  await settle();
  assert.equal(asked.length, 2);
  mock.timers.tick(1);
  await settle();
  assert.equal(asked.length, 4);
  ended.abort();
  await done;
});

test('an agent that knows none of it is left alone for hours, and lists that are none are not kept', async (t) => {
  const { notes, asked, kept } = setUp(t, { '/v1/ice': { servers: [{ urls: ['https://x'] }] } });
  void notes.run();
  await settle();
  mock.timers.tick(3_600_000);
  await settle();
  assert.deepEqual([asked.length, kept], [2, []]);
});

test('the agent’s network is asked about once for every kind of path', async (t) => {
  const { notes, asked } = setUp(t, { '/v1/network': network });
  const relayed = { path: 'relayed' };
  assert.equal(notes.see({ path: 'unknown' }), '');
  assert.match(notes.see(relayed), /no direct way/);
  await settle();
  assert.equal(notes.see(relayed), 'Relayed: the agent’s network lets no UDP through.');
  notes.see({ path: 'direct', remote: { kind: 'host', address: '10.0.0.1', port: 1, protocol: 'udp' } });
  await settle();
  assert.deepEqual(asked, ['GET /v1/network', 'GET /v1/network']);
});
