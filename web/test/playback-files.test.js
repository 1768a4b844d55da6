import { test } from 'node:test';
import assert from 'node:assert/strict';
import { ApiError } from '../static/api.js';
import { HttpError } from '../static/http1.js';
import { Files } from '../static/playback-files.js';
import { NoSessionError } from '../static/recordings.js';
import { film, FilmLibrary, gapless } from './fake-film.js';

function setUp(options = { audio: 'opus', heard: gapless }) {
  const made = film(0, options);
  const recordings = new FilmLibrary([made]);
  const troubles = [];
  const files = new Files({ recordings, camera: 'front', onTrouble: (message) => troubles.push(message) });
  const pieces = made.fragments.map((fragment) => ({ segment: made, fragment }));
  const stop = new AbortController();
  const read = async (some, sound) => {
    const got = new Map();
    for await (const { piece, track, bytes, last } of files.read(some, sound, stop.signal)) {
      const key = `${pieces.indexOf(piece)} ${track}`;
      const before = got.get(key) ?? { parts: [], last: false };
      assert.equal(before.last, false, 'nothing after the end');
      got.set(key, { parts: [...before.parts, bytes], last });
    }
    return new Map([...got].map(([key, { parts, last }]) => [key, { data: Buffer.concat(parts), last }]));
  };
  return { made, recordings, files, troubles, pieces, stop, read };
}

const partOf = (made, i, track) => {
  const { offset, bytes, videoBytes } = made.fragments[i];
  return Buffer.from(track === 'video' ? made.data.slice(offset, offset + videoBytes) : made.data.slice(offset + videoBytes, offset + bytes));
};

/** A body that breaks off after some bytes. */
const cutAfter = (n) => (bytes) =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, n));
    },
    pull(controller) {
      controller.error(new HttpError('the connection closed in the middle of a response'));
    },
  });

test('pieces are cut out of one answer, video and sound apart', async () => {
  const { made, read, pieces, recordings } = setUp();
  const got = await read(pieces.slice(1, 4), true);
  assert.equal(recordings.ranges.length, 1);
  for (const i of [1, 2, 3]) {
    for (const track of ['video', 'sound']) assert.deepEqual(got.get(`${i} ${track}`), { data: partOf(made, i, track), last: true }, `${i} ${track}`);
  }
});

test('sound that is not wanted is left out, also of what was kept', async () => {
  const { made, read, pieces, recordings } = setUp();
  for (let i = 0; i < 2; i++) {
    const got = await read(pieces.slice(0, 2), false);
    assert.deepEqual([...got.keys()], ['0 video', '1 video']);
    assert.deepEqual(got.get('1 video').data, partOf(made, 1, 'video'));
  }
  assert.equal(recordings.ranges.length, 1, 'the second time they come from memory');
  const got = await read(pieces.slice(0, 3), true);
  assert.deepEqual(got.get('0 sound').data, partOf(made, 0, 'sound'));
  assert.equal(recordings.ranges[1], `${made.id} ${made.fragments[2].offset}-${made.fragments[2].offset + made.fragments[2].bytes}`);
});

test('after an interruption it goes on with the very next byte', async () => {
  const { made, read, pieces, recordings, troubles } = setUp();
  recordings.trouble = [cutAfter(1500), () => { throw new NoSessionError(); }, cutAfter(1)];
  const got = await read(pieces, true);
  for (let i = 0; i < 5; i++) assert.deepEqual(got.get(`${i} video`).data, partOf(made, i, 'video'));
  const from = made.fragments[0].offset;
  assert.deepEqual(recordings.ranges.map((text) => Number(/ (\d+)-/.exec(text)[1])), [from, from + 1500, from + 1500, from + 1501]);
  assert.match(troubles.find((text) => text !== ''), /lost/);
  assert.equal(troubles.at(-1), '');
});

test('what the recorder refuses is not asked for again', async () => {
  for (const status of [403, 404, 410]) {
    const { read, pieces, recordings } = setUp();
    recordings.trouble = [() => { throw new ApiError(status, 'no', 'No.'); }];
    await assert.rejects(read(pieces, true), { status });
    assert.equal(recordings.ranges.length, 1);
  }
});

test('a recorder that is busy is asked again', async () => {
  const { read, pieces, recordings, troubles } = setUp();
  recordings.trouble = [() => { throw new ApiError(503, 'busy', 'Too much is under way.'); }];
  await read(pieces.slice(0, 1), true);
  assert.equal(recordings.ranges.length, 2);
  assert.ok(troubles.includes('Too much is under way.'));
});

test('a reader that stops ends the request', async () => {
  const { files, pieces, recordings, stop } = setUp();
  let cancelled = false;
  recordings.trouble = [(bytes) => new ReadableStream({ pull: (controller) => controller.enqueue(bytes.slice(0, 200)), cancel: () => (cancelled = true) }, { highWaterMark: 0 })];
  for await (const _ of files.read(pieces, true, stop.signal)) break;
  assert.equal(cancelled, true);
});

test('the beginning of a file is fetched once', async () => {
  const { files, made, recordings, stop } = setUp();
  for (let i = 0; i < 3; i++) assert.equal((await files.init(made, stop.signal)).length, made.initBytes);
  assert.equal(recordings.ranges.length, 1);
});
