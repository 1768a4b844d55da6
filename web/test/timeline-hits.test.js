import { test } from 'node:test';
import assert from 'node:assert/strict';
import { clustersOf, gapAt, growingFrom, hit, isRecorded } from '../static/timeline-hits.js';
import { Scale } from '../static/timeline-scale.js';

const scale = new Scale(0, 1_000_000, 1000);
const event = (id, fromMs, toMs = fromMs, type = 'door') => ({ id, type, fromMs, toMs, text: '' });
const piece = {
  ranges: [[100_000, 400_000], [500_000, 900_000]],
  gaps: [{ fromMs: 400_000, toMs: 500_000, cause: 'camera-offline', text: '' }, { fromMs: 700_000, toMs: 700_200, cause: 'crash', text: '' }],
  events: [event('a', 200_000), event('b', 204_000), event('c', 300_000, 350_000)],
  locks: [{ id: 'l', fromMs: 600_000, toMs: 650_000, name: 'parcel' }],
  pauses: [],
};
const at = (x, options = {}) => hit({ x, slop: 4, playheadMs: null, ...options }, scale, piece);

test('events that stand close together are one mark', () => {
  const clusters = clustersOf(piece.events, scale);
  assert.deepEqual(clusters.map(({ x, events }) => [x, events.map(({ id }) => id).join('')]), [[200, 'ab'], [300, 'c']]);
  const closer = new Scale(150_000, 100_000, 1000);
  assert.equal(clustersOf(piece.events, closer).length, 2, 'those out of sight are left out');
});

test('a row of events that follow each other closely does not become one mark', () => {
  const row = Array.from({ length: 100 }, (_, i) => event(String(i), i * 5_000));
  const clusters = clustersOf(row, scale);
  assert.equal(clusters.length, 50);
});

test('under the pointer is what is meant: the playhead, then events, then what there is', () => {
  assert.equal(at(202, { playheadMs: 200_000 }).kind, 'playhead');
  assert.deepEqual(at(202).events.map(({ id }) => id), ['a', 'b']);
  assert.equal(at(202).ms, 200_000, 'an event is met at its beginning');
  assert.equal(at(250).kind, 'recorded');
  assert.equal(at(450).gap.cause, 'camera-offline');
  assert.equal(at(50).kind, 'nothing');
  assert.equal(at(950).kind, 'nothing');
  assert.equal(at(620).lock.name, 'parcel');
});

test('fingers meet what is near', () => {
  assert.equal(at(212).kind, 'recorded');
  assert.equal(at(212, { slop: 22 }).kind, 'events');
});

test('a gap that is thinner than a pixel can be met', () => {
  assert.equal(at(700).gap.cause, 'crash');
  assert.equal(gapAt(piece, 700_500)?.cause, undefined);
  assert.equal(gapAt(piece, 700_500, 1_000)?.cause, 'crash');
});

test('recorded is up to the end, without it', () => {
  assert.deepEqual([99_999, 100_000, 399_999, 400_000].map((ms) => isRecorded(piece, ms)), [false, true, true, false]);
});

test('what is on its way to the disk is known to be recorded, what ended long ago is not', () => {
  assert.equal(growingFrom(piece, 903_000), 900_000);
  assert.equal(growingFrom(piece, 950_000), 950_000);
  assert.equal(growingFrom(piece, 899_000), 899_000);
  assert.equal(growingFrom({ ...piece, ranges: [] }, 5), 5);
});
