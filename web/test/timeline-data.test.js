import { test } from 'node:test';
import assert from 'node:assert/strict';
import { join, levelOf, TimelineData, withPauses } from '../static/timeline-data.js';
import { Scale } from '../static/timeline-scale.js';

const t0 = 1_763_740_800_000;
const none = { ranges: [], gaps: [], events: [], locks: [], pauses: [] };

/** A recorder with one recording, a gap and an event; counts what it is asked. */
function recorder({ from = t0 - 3_600_000, to = Infinity } = {}) {
  const asked = [];
  let now = t0;
  let failing = false;
  let release = () => {};
  const data = new TimelineData({
    now: () => now,
    onchange: () => release(),
    load: async (a, b, resolution, signal) => {
      asked.push({ from: a, to: b, resolution, signal });
      if (failing) throw new Error('down');
      const gap = { fromMs: t0 - 1_000_000, toMs: t0 - 900_000, cause: 'camera-offline', text: '' };
      const parts = [[from, gap.fromMs], [gap.toMs, Math.min(to, now)]];
      return {
        ...none,
        ranges: parts.map(([x, y]) => [Math.max(x, a), Math.min(y, b)]).filter(([x, y]) => x < y),
        gaps: gap.fromMs < b && gap.toMs > a ? [gap] : [],
        events: [{ id: 'e', type: 'door', fromMs: t0 - 500_000, toMs: t0 - 499_000, text: '' }].filter(({ fromMs }) => fromMs >= a && fromMs < b),
      };
    },
  });
  const wait = () => new Promise((resolve) => (release = resolve));
  return { data, asked, wait, pass: (ms) => (now += ms), fail: (on) => (failing = on) };
}

test('it asks once for what is in sight, as fine as pixels are', async () => {
  const { data, asked, wait } = recorder();
  const scale = new Scale(t0 - 3_600_000, 3_600_000, 1000);
  assert.equal(data.within(scale).complete, false);
  data.want(scale);
  data.want(scale);
  await wait();
  data.want(scale);
  assert.equal(asked.length, 1);
  const [{ from, to, resolution }] = asked;
  assert.ok(from <= scale.fromMs && to >= scale.toMs);
  assert.ok(resolution <= scale.msPerPx && resolution * 2 > scale.msPerPx, String(resolution));
  const { ranges, gaps, events, complete } = data.within(scale);
  assert.deepEqual(ranges, [[t0 - 3_600_000, t0 - 1_000_000], [t0 - 900_000, t0]]);
  assert.deepEqual(gaps.map(({ fromMs, toMs }) => [fromMs, toMs]), [[t0 - 1_000_000, t0 - 900_000]]);
  assert.equal(events.length, 1);
  assert.ok(complete);
});

test('dragging asks only for what is new', async () => {
  const { data, asked, wait } = recorder({ from: t0 - 40 * 3_600_000 });
  let scale = new Scale(t0 - 3_600_000, 3_600_000, 1000);
  data.want(scale);
  await wait();
  scale = scale.panned(3000);
  data.want(scale);
  await wait();
  assert.equal(asked.length, 2);
  assert.ok(asked[1].to <= asked[0].from);
});

test('while finer pieces are under way the coarser ones are shown', async () => {
  const { data, wait } = recorder();
  const scale = new Scale(t0 - 3_600_000, 3_600_000, 1000);
  data.want(scale);
  await wait();
  const closer = scale.zoomed(1 / 16, 700, { firstMs: t0 - 3_600_000, lastMs: t0 });
  const { ranges, complete } = data.within(closer);
  assert.ok(complete && ranges.length > 0);
});

test('the live edge is asked for every few seconds, the past every minute', async () => {
  const { data, asked, wait, pass } = recorder();
  const live = new Scale(t0 - 600_000, 600_000, 1000);
  data.want(live);
  await wait();
  pass(3_000);
  data.want(live);
  assert.equal(asked.length, 1);
  pass(2_000);
  data.want(live);
  await wait();
  assert.equal(asked.length, 2);
  assert.ok(asked[1].to - asked[1].from < asked[0].to - asked[0].from, 'only the end is asked for again');
  assert.equal(data.within(live).ranges.at(-1)[1], t0 + 5_000);
  pass(60_000);
  data.want(live);
  await wait();
  assert.ok(asked.at(-1).from <= asked[0].from);
});

test('what cannot be had is asked for again, ever less often, and what is known stays', async () => {
  const { data, asked, wait, pass, fail } = recorder();
  const scale = new Scale(t0 - 600_000, 600_000, 1000);
  data.want(scale);
  await wait();
  fail(true);
  pass(5_000);
  data.want(scale);
  await wait();
  assert.match(String(data.error), /down/);
  data.want(scale);
  assert.equal(asked.length, 2, 'not at once');
  assert.ok(data.within(scale).ranges.length > 0);
  pass(1_000);
  data.want(scale);
  await wait();
  pass(1_000);
  data.want(scale);
  assert.equal(asked.length, 3);
  fail(false);
  data.retry();
  data.want(scale);
  await wait();
  assert.equal(asked.length, 4, 'at once if the recorder is back');
  assert.equal(data.error, null);
});

test('after a change everything in sight is asked for once more', async () => {
  const { data, asked, wait } = recorder();
  const scale = new Scale(t0 - 600_000, 600_000, 1000);
  data.want(scale);
  await wait();
  data.refresh();
  data.want(scale);
  await wait();
  assert.equal(asked.length, 2);
});

test('after it is closed it asks for nothing and gives up what is under way', () => {
  const { data, asked } = recorder();
  const scale = new Scale(t0 - 600_000, 600_000, 1000);
  data.want(scale);
  data.close();
  assert.ok(asked[0].signal.aborted);
  data.want(scale.panned(100_000));
  assert.equal(asked.length, 1);
});

test('it keeps a bounded number of pieces', async () => {
  const { data, asked, wait } = recorder({ from: 0 });
  let scale = new Scale(t0 - 600_000, 600_000, 1000);
  for (let i = 0; i < 200; i++) {
    scale = scale.panned(3000);
    data.want(scale);
    await wait();
  }
  const count = asked.length;
  scale = new Scale(t0 - 600_000, 600_000, 1000);
  data.want(scale);
  await wait();
  assert.ok(asked.length > count, 'what was forgotten is asked for again');
});

test('pieces are put together without seams', () => {
  const gap = { cause: 'crash', text: '' };
  const lock = { id: 'l', name: '', fromMs: 5, toMs: 35 };
  const a = { ...none, ranges: [[0, 10]], gaps: [{ ...gap, fromMs: 12, toMs: 20 }], locks: [lock] };
  const b = { ...none, ranges: [[25, 40]], gaps: [{ ...gap, fromMs: 20, toMs: 25 }], locks: [lock] };
  const joined = join([a, { ...none, ranges: [[10, 12]] }, b], 2);
  assert.deepEqual(joined.ranges, [[0, 12], [25, 40]]);
  assert.deepEqual(joined.gaps, [{ ...gap, fromMs: 12, toMs: 25 }]);
  assert.deepEqual(joined.locks, [lock]);
  assert.deepEqual(a.ranges, [[0, 10]], 'what was put together stays as it was');
});

test('levels follow the zoom', () => {
  assert.deepEqual([50, 100, 199, 200, 6400, 100 * 2 ** 16].map(levelOf), [0, 0, 0, 1, 6, 16]);
});

test('a pause that lasts is shown, though no recording tells of it yet', () => {
  const piece = { ...none, ranges: [[0, 100]], pauses: [{ fromMs: 20, toMs: 40, by: '' }, { fromMs: 90, toMs: 0, by: 'Alice' }] };
  assert.deepEqual(withPauses(piece, 500).gaps, [{ fromMs: 100, toMs: 500, cause: 'paused', text: '' }]);
  const told = { ...piece, gaps: [{ fromMs: 100, toMs: 500, cause: 'paused', text: '' }] };
  assert.equal(withPauses(told, 500).gaps.length, 1);
});
