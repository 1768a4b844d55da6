import { test } from 'node:test';
import assert from 'node:assert/strict';
import { ApiError } from '../static/api.js';
import { Scrub } from '../static/scrub.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const asked = [];
  const open = [];
  const drawn = [];
  const troubles = [];
  const bitmaps = [];
  const recordings = {
    keyFrame: (camera, { atMs, rendition, signal }) =>
      new Promise((resolve, reject) => {
        asked.push(atMs);
        open.push({ atMs, reject, answer: (timeMs = Math.round(atMs / 2000) * 2000) => resolve({ timeMs, camera, rendition }) });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const stills = {
    decode: async ({ timeMs }) => {
      const bitmap = { width: 1920, height: 1080, timeMs, closed: 0, close: () => (bitmap.closed += 1) };
      bitmaps.push(bitmap);
      return bitmap;
    },
    close() {},
  };
  const canvas = { width: 320, height: 0, getContext: () => ({ drawImage: ({ timeMs, closed }) => drawn.push(closed ? 'closed' : timeMs) }) };
  const scrub = new Scrub({ canvas, recordings, camera: 'front', rendition: 'sub', stills, onTrouble: (message) => troubles.push(message) });
  return { scrub, asked, open, drawn, troubles, bitmaps, canvas };
}

test('at most two requests are under way, and of the others only the last is made', async () => {
  const { scrub, asked, open, drawn } = setUp();
  for (let ms = 0; ms <= 100_000; ms += 1000) scrub.show(ms);
  await turn();
  assert.deepEqual(asked, [0, 1000]);
  open[0].answer();
  await turn();
  assert.deepEqual(asked, [0, 1000, 100_000]);
  open[2].answer();
  open[1].answer();
  await turn();
  assert.equal(drawn.at(-1), 100_000, 'an older wish does not cover a newer one');
  assert.equal(asked.length, 3);
});

test('a picture that is near enough is shown at once, and nothing is asked for', async () => {
  const { scrub, asked, open, drawn, canvas } = setUp();
  scrub.show(10_000);
  open[0].answer();
  await turn();
  assert.equal(canvas.height, 180);
  scrub.show(10_900, 1000);
  assert.deepEqual([asked.length, drawn.at(-1)], [1, 10_000]);
  scrub.show(12_000, 1000);
  assert.deepEqual([asked.length, drawn.at(-1)], [2, 10_000], 'the nearest one until it is there');
});

test('pictures that are not used are given back, and none of those that are shown', async () => {
  const { scrub, open, drawn, bitmaps } = setUp();
  for (let i = 0; i < 120; i++) {
    scrub.show(i * 2000);
    await turn();
    open.at(-1).answer();
    await turn();
  }
  assert.ok(!drawn.includes('closed'));
  assert.equal(bitmaps.filter(({ closed }) => closed === 0).length, 48);
  scrub.close();
  assert.ok(bitmaps.every(({ closed }) => closed === 1));
});

test('what goes wrong is said once, and again when it is over', async () => {
  const { scrub, open, troubles } = setUp();
  for (let i = 0; i < 3; i++) {
    scrub.show(i * 2000);
    open[i].reject(new ApiError(404, 'not_found', 'Nothing was recorded there.'));
    await turn();
  }
  scrub.show(50_000);
  open[3].answer();
  await turn();
  assert.deepEqual(troubles, ['Nothing was recorded there.', '']);
});

test('closing ends what is under way, silently', async () => {
  const { scrub, drawn, troubles, asked } = setUp();
  scrub.show(1000);
  scrub.close();
  scrub.show(2000);
  await turn();
  assert.deepEqual([drawn, troubles, asked], [[], [], [1000]]);
});
