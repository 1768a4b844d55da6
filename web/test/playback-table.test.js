import { test } from 'node:test';
import assert from 'node:assert/strict';
import { FragmentTable, gapBetween } from '../static/playback-table.js';
import { FakeLibrary, second, segment } from './fake-library.js';

const base = 1_763_740_800 * second;
const at = (seconds) => base + seconds * second;

function setUp(segments, options) {
  const recordings = new FakeLibrary(segments, options);
  return { recordings, table: new FragmentTable({ recordings, camera: 'front', rendition: 'main', now: () => 0 }) };
}

const offset = (piece) => piece && (piece.fragment.startUs - base) / second;

test('a time is found with one request, and what is around it without another', async () => {
  const { recordings, table } = setUp([segment(at(0), { count: 100 })]);
  assert.equal(offset((await table.at(at(61.5))).piece), 60);
  assert.equal(recordings.asked.length, 1);
  for (const seconds of [50, 60, 63.9, 100]) assert.equal(offset((await table.at(at(seconds))).piece), Math.floor(seconds / 2) * 2);
  let piece = (await table.at(at(60))).piece;
  for (let i = 0; i < 20; i++) piece = await table.next(piece);
  for (let i = 0; i < 23; i++) piece = await table.previous(piece);
  assert.equal(offset(piece), 54);
  assert.equal(recordings.asked.length, 1);
});

test('a time in a gap gives what comes after it, however late, and says what is missing', async () => {
  const { table } = setUp([segment(at(0)), segment(at(7200))]);
  for (const seconds of [10, 11, 3600, 7199]) {
    const { piece, gap } = await table.at(at(seconds));
    assert.equal(offset(piece), 7200, `${seconds}`);
    assert.equal(gap.toUs, at(7200));
    if (seconds < 20) assert.equal(gap.fromUs, at(10));
  }
});

test('a time after everything gives the last piece, one before everything the first', async () => {
  const { table } = setUp([segment(at(0)), segment(at(7200))]);
  assert.equal(offset((await table.at(at(80_000))).piece), 7208);
  assert.equal((await table.at(at(80_000))).gap, null);
  assert.equal(offset((await table.at(at(-80_000))).piece), 0);
  assert.equal(await setUp([]).table.at(at(0)), null);
});

test('pieces follow each other over files, gaps and long answers', async () => {
  const segments = [segment(at(0), { count: 50 }), segment(at(100), { count: 50 }), segment(at(9000), { count: 3 })];
  const { table } = setUp(segments, { limitUs: 60 * second });
  let { piece } = await table.at(at(0));
  const seen = [];
  for (; piece; piece = await table.next(piece)) seen.push(offset(piece));
  assert.equal(seen.length, 103);
  assert.deepEqual(seen, segments.flatMap(({ fragments }) => fragments.map((fragment) => offset({ fragment }))));
  const back = [];
  for (piece = (await table.at(at(9005))).piece; piece; piece = await table.previous(piece)) back.push(offset(piece));
  assert.deepEqual(back, [...seen].reverse());
});

test('between pieces that follow each other within a rounding there is no gap', async () => {
  const { table } = setUp([segment(at(0)), segment(at(10) + 3000)]);
  const { piece, gap } = await table.at(at(10) + 1000);
  assert.deepEqual([offset(piece), gap], [8, null]);
  const next = await table.next(piece);
  assert.equal(gapBetween(piece, next), null);
});

test('what is recorded later is seen later, also when the end of the newest piece was guessed too late', async () => {
  const growing = segment(at(0), { count: 3, open: true });
  const { table, recordings } = setUp([growing]);
  growing.fragments[2].durationUs += 40_000;
  growing.endUs += 40_000;
  const { piece } = await table.at(at(5));
  assert.equal(await table.next(piece), null);
  growing.fragments[2].durationUs = 2 * second;
  growing.fragments.push({ ...growing.fragments[2], startUs: at(6), offset: 350 });
  growing.endUs = at(8);
  assert.equal(offset(await table.next(piece)), 6);
  const before = recordings.asked.length;
  for (let i = 0; i < 3; i++) await table.next(await table.next(piece));
  assert.ok(recordings.asked.length - before <= 4, 'the far future is asked for once in a while');
});

test('a gap that was filled afterwards is seen at the next look', async () => {
  const { table, recordings } = setUp([segment(at(0)), segment(at(100))]);
  assert.equal(offset((await table.at(at(50))).piece), 100);
  recordings.all.splice(1, 0, segment(at(40), { count: 10 }));
  assert.equal(offset((await table.at(at(50))).piece), 50);
});

test('where two generations overlap the newer one counts', async () => {
  const { table } = setUp([segment(at(0), { count: 10 }), segment(at(8), { count: 10, generation: 1 })]);
  let { piece } = await table.at(at(0));
  const ids = [];
  for (; piece; piece = await table.next(piece)) ids.push(`${offset(piece)}${piece.segment.id.endsWith('.g1') ? 'g' : ''}`);
  assert.deepEqual(ids.slice(0, 6), ['0', '2', '4', '6', '8g', '10g']);
  assert.equal(ids.length, 14);
});

test('decoding starts at a key frame, in the same file, wherever the answer began', async () => {
  const { table } = setUp([segment(at(0), { count: 60, us: second, keyEvery: 30 })]);
  const { piece } = await table.at(at(59.5));
  assert.equal(offset(await table.keyFor(piece)), 30);
  assert.equal(table.keyEveryMs((await table.at(at(0))).piece), 30_000);
});

test('a file that is gone is forgotten', async () => {
  const { table, recordings } = setUp([segment(at(0)), segment(at(10)), segment(at(20))]);
  const { piece } = await table.at(at(15));
  recordings.all.splice(1, 1);
  table.forget(piece.segment.id);
  assert.equal(offset((await table.at(at(15))).piece), 20);
  assert.equal(offset(await table.next((await table.at(at(9))).piece)), 20);
});

test('an aborted question fails, and changes nothing', async () => {
  const { table } = setUp([segment(at(0))]);
  await assert.rejects(table.at(at(1), AbortSignal.abort()), { name: 'AbortError' });
  assert.equal(offset((await table.at(at(1))).piece), 0);
});
