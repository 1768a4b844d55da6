import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readLog } from '../static/access-log.js';

const hash = (line) => createHash('sha256').update(line).digest('base64url');

/** A log of so many entries, which the test may spoil. */
function makeLog(count, words = 'came') {
  const lines = [];
  for (let seq = 1; seq <= count; seq++) {
    const prev = lines.length ? hash(lines.at(-1)) : '';
    lines.push(JSON.stringify({ seq, time: '2026-01-01T00:00:00Z', kind: words, peer: '', name: 'Jörg', what: '', from: '', prev }));
  }
  return lines;
}

const headOf = (lines) => ({ seq: lines.length, hash: lines.length ? hash(lines.at(-1)) : '' });

/** Serves a log as an agent does. */
function serve(lines, { floor = 1, head = headOf(lines), most = 500 } = {}) {
  const asked = [];
  return {
    asked,
    async request(path) {
      const { searchParams } = new URL(path, 'http://agent');
      const after = Math.max(Number(searchParams.get('after')), floor - 1);
      const limit = Math.min(Number(searchParams.get('limit')), most);
      asked.push([after, limit]);
      return { ok: true, json: async () => ({ lines: lines.slice(after, after + limit), head, floor }) };
    },
  };
}

test('a log is read to its end, and the next time from where it was left', async () => {
  const lines = makeLog(1200);
  const all = await readLog(serve(lines), undefined);
  assert.deepEqual([all.entries.length, all.head, all.warning, all.older], [1200, headOf(lines), '', false]);
  const known = headOf(lines.slice(0, 1100));
  const rest = await readLog(serve(lines), known);
  assert.deepEqual([rest.head, rest.warning, rest.older, rest.entries[0].seq], [headOf(lines), '', true, 1001]);
  const before = await readLog(serve(lines), headOf(lines.slice(0, 700)));
  assert.deepEqual([before.head, before.warning, before.entries[0].seq], [headOf(lines), '', 700]);
  const nothing = await readLog(serve([]), undefined);
  assert.deepEqual([nothing.entries, nothing.head.seq, nothing.warning], [[], 0, '']);
});

test('a log that became shorter is found out', async () => {
  const lines = makeLog(10);
  const read = await readLog(serve(lines.slice(0, 7)), headOf(lines));
  assert.match(read.warning, /become shorter: 3 entries/);
  assert.deepEqual(read.entries.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7]);
  assert.match((await readLog(serve([]), headOf(lines.slice(0, 1)))).warning, /one entry that this browser has seen is gone/);
});

test('a log that was written anew is found out, however long it is', async () => {
  const known = headOf(makeLog(10));
  for (const count of [10, 11, 800]) assert.match((await readLog(serve(makeLog(count, 'left')), known)).warning, /has been changed/);
});

test('an entry that was changed, dropped or moved is found out', async () => {
  const lines = makeLog(20);
  const spoil = {
    'changed': (log) => (log[4] = log[4].replace('came', 'left')),
    'dropped': (log) => log.splice(4, 1),
    'repeated': (log) => log.splice(4, 0, log[4]),
    'moved': (log) => log.splice(4, 2, log[5], log[4]),
    'no entry': (log) => (log[4] = '{}'),
    'saying a thing twice': (log) => (log[19] = log[19].replace('{', '{"kind":"left",')),
    'the last': (log) => (log[19] = log[19].replace('came', 'left')),
  };
  for (const [what, change] of Object.entries(spoil)) {
    const log = [...lines];
    change(log);
    assert.match((await readLog(serve(log, { head: headOf(lines) }), undefined)).warning, /has been changed/, what);
  }
});

test('a log that is not shown to its end is found out', async () => {
  const lines = makeLog(20);
  assert.match((await readLog(serve(lines.slice(0, 15), { head: headOf(lines) }), undefined)).warning, /does not show the whole log/);
});

test('entries that the agent no longer keeps are no alarm, unless they were never seen', async () => {
  const lines = makeLog(900);
  const seen = await readLog(serve(lines, { floor: 600 }), headOf(lines.slice(0, 650)));
  assert.deepEqual([seen.warning, seen.entries[0].seq, seen.older], ['', 650, true]);
  const first = await readLog(serve(lines, { floor: 600 }), undefined);
  assert.deepEqual([first.warning, first.entries[0].seq, first.older], ['', 600, false]);
  const gap = await readLog(serve(lines, { floor: 600 }), headOf(lines.slice(0, 500)));
  assert.match(gap.warning, /99 entries before this browser saw them/);
  assert.equal(gap.entries.length, 301);
});

test('an answer that makes no sense is an error', async () => {
  for (const body of [null, {}, { lines: [], head: {}, floor: 1 }, { lines: [7], head: { seq: 0, hash: '' }, floor: 1 },
    { lines: [], head: { seq: 3, hash: 'x' }, floor: 1 }]) {
    await assert.rejects(readLog({ request: async () => ({ ok: true, json: async () => body }) }, undefined), TypeError);
  }
});
