import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readRun } from '../static/playback-boxes.js';
import { Feed } from '../static/playback-feed.js';
import { Files } from '../static/playback-files.js';
import { KeyFeed } from '../static/playback-keys.js';
import { FragmentTable } from '../static/playback-table.js';
import { FakeReel, film, FilmLibrary, gapless } from './fake-film.js';

globalThis.MediaSource = { isTypeSupported: (type) => !/hvc1|ulaw/.test(type) };

const base = 1_763_740_800e6;
const near = (a, b, message) => assert.ok(Math.abs(a - b) < 1e-6, `${message ?? ''} ${a} is not ${b}`);

/** Runs a feed from a time on until it ends, or has everything. */
async function feed(films, { from = base, target = from, lane = { sound: false, keyFramesOnly: false }, playhead = () => 1e9, rate = () => 1, until = (fed) => fed.outcome || fed.newest } = {}) {
  const recordings = new FilmLibrary(films);
  const table = new FragmentTable({ recordings, camera: 'front', rendition: 'main' });
  const files = new Files({ recordings, camera: 'front', onTrouble: () => {} });
  const reel = new FakeReel();
  const stop = new AbortController();
  const options = { reel, table, files, lane, baseUs: base - 1000e6, playhead, rate, rendition: 'main', onChange: () => {} };
  const fed = new (lane.keyFramesOnly ? KeyFeed : Feed)(options);
  const { piece } = await table.at(target);
  const first = (await table.at(from)).piece;
  const run = fed.run(first, piece, stop.signal);
  run.catch(() => {});
  const end = async () => {
    stop.abort();
    await run.catch(() => {});
  };
  await Promise.race([fed.until(() => until(fed), stop.signal), run.catch(() => {})]);
  return { recordings, table, files, reel, fed, run, end, stretch: fed.stretch };
}

test('a stretch is put on the reel by the camera’s clock, and every frame knows when it was recorded', async () => {
  // The wall's clock runs 0.1 % faster than the camera's.
  const { stretch, reel, end } = await feed([film(base, { wallUs: (i) => base + i * 2_002_000 })]);
  await end();
  assert.equal(stretch.frames.length, 250);
  stretch.frames.forEach(({ time, duration }, i) => {
    near(time, 1000 + i * 0.04);
    near(duration, 0.04);
  });
  near((stretch.wallUs(1003) - base) / 1e6, 3.003);
  near(stretch.frameAt(base + 3_003_000 + 20_000).time, 1003);
  assert.deepEqual(new Set(reel.appended.map(({ offset }) => offset)), new Set([1000]));
});

test('the fragment that is wanted is fetched alone, and what follows in larger parts', async () => {
  const { recordings, end } = await feed([film(base, { count: 20 })], { from: base + 4e6, target: base + 4.5e6 });
  await end();
  const { fragments } = recordings.all[0];
  const ranges = recordings.ranges.map((text) => text.split(' ')[1].split('-').map(Number));
  assert.deepEqual(ranges[0], [fragments[2].offset, fragments[2].offset + fragments[2].bytes], 'the picture before all else');
  assert.deepEqual(ranges[1], [0, recordings.all[0].initBytes]);
  assert.equal(ranges.length, 2 + Math.ceil(17 / 6), 'at most 10 s to a request');
});

test('files follow each other without a hole, whatever their clocks say', async () => {
  const { stretch, reel, fed, end } = await feed([film(base), film(base + 10_030_000, { wallUs: (i) => base + 10_030_000 + i * 2e6 })]);
  await end();
  assert.equal(fed.newest, true);
  assert.deepEqual(reel.begun, [`main.${base}`, `main.${base + 10_030_000}`]);
  near(stretch.frames[250].time, 1010);
  near(stretch.frames[249].duration, 0.04);
  near(stretch.wallUs(1010.5), base + 10_530_000);
  near(stretch.frameAt(base + 10_010_000).time, 1009.96, 'in between the last one before it');
});

test('a gap ends a stretch, and so do other tracks and codecs that are not played', async () => {
  const cases = {
    gap: [film(base), film(base + 30e6)],
    tracks: [film(base), film(base + 10e6, { audio: 'opus', sound: 1, heard: gapless })],
    codec: [film(base), film(base + 10e6, { video: 'hvc1.1.6.L93.B0' })],
  };
  for (const [name, films] of Object.entries(cases)) {
    const { fed, stretch, run } = await feed(films);
    await run;
    assert.deepEqual([fed.outcome.why, fed.outcome.next.segment.id], [name === 'gap' ? 'gap' : 'tracks', films[1].id], name);
    near(stretch.end, 1010);
  }
});

test('sound that this browser does not play is neither fetched for the reel nor a reason to stop', async () => {
  const { fed, reel, end } = await feed([film(base), film(base + 10e6, { audio: 'ulaw', heard: gapless })]);
  await end();
  assert.deepEqual([fed.outcome, fed.newest], [null, true]);
  assert.ok(reel.appended.every(({ track }) => track === 'video'));
});

test('frames are where they are shown, in files with B-frames cut within a group', async () => {
  // Decoded 0 3 1 2 | 4 7 5 6 …, with the second fragment not at a key frame, and its wall time that of its first frame decoded.
  const order = [0, 2, -1, -1];
  const wallUs = (i) => base + [0, 2.12, 4, 6.12, 8, 10][i] * 1e6;
  const films = [film(base, { frames: 50, keyEvery: 2, delay: 7200, shift: (n) => (n < 48 ? order[n % 4] * 3600 : 0), wallUs })];
  const { stretch, reel, end } = await feed(films);
  await end();
  assert.equal(stretch.frames.length, 250);
  stretch.frames.forEach(({ time }, i) => near(time, 1000 + i * 0.04, i));
  near(stretch.wallUs(1002.4), base + 2.4e6);
  near(stretch.frameAt(base + 2.05e6).time, 1002.04);
  near(reel.appended[0].offset, 1000 - 0.08, 'the delay of the file is taken off');
});

test('a picture may be in the fragment after the one that its time is in', async () => {
  const wallUs = (i) => base + [0, 2.12, 4, 6, 8, 10][i] * 1e6;
  const { fed, table, end } = await feed([film(base, { keyEvery: 2, delay: 7200, wallUs })], { until: () => true });
  const { piece } = await table.at(base + 2.05e6);
  assert.equal(piece.fragment.startUs, base);
  await fed.until(() => fed.reaches(piece, base + 2.05e6), AbortSignal.timeout(60_000));
  near(fed.stretch.frameAt(base + 2.05e6).time, 1002.04);
  await end();
});

test('holes in the sound are filled with silence, so that it stays with the picture', async () => {
  const heard = (i) => {
    if (i === 1) return null; // nothing at all
    const all = gapless(i);
    return i === 2 ? all.filter((_, n) => n < 30 || n >= 45) : all.slice(i === 0 ? 10 : 0);
  };
  const { reel, end } = await feed([film(base, { audio: 'opus', heard })], { lane: { sound: true, keyFramesOnly: false } });
  await end();
  let at = 1000;
  let frames = 0;
  let silent = 0;
  for (const { bytes, offset } of reel.appended.filter(({ track }) => track === 'sound')) {
    near(offset, at, 'no hole between fragments');
    const run = readRun(bytes);
    assert.ok(run.samples.every(({ duration }) => duration === 960), 'as long as it is heard');
    silent += run.samples.filter(({ size }) => size === 3).length;
    frames += run.samples.length;
    at += run.duration / 48_000;
  }
  near(at, 1010);
  assert.deepEqual([frames, silent], [500, 10 + 100 + 15]);
});

test('sound of two files that overlaps is heard once', async () => {
  const long = (i) => (i === 4 ? [...gapless(4), ...gapless(5).slice(0, 3)] : gapless(i));
  const films = [film(base, { audio: 'opus', heard: long }), film(base + 10e6, { audio: 'opus', heard: gapless })];
  const { reel, end } = await feed(films, { lane: { sound: true, keyFramesOnly: false } });
  await end();
  const last = reel.appended.filter(({ track }) => track === 'sound').at(-1);
  near(last.offset + readRun(last.bytes).duration / 48_000, 1020);
});

test('what is held is bounded ahead and behind', async () => {
  const time = { now: 1000 };
  const { stretch, reel, end, fed } = await feed([film(base, { count: 100 })], { playhead: () => time.now, until: (f) => f.stretch.end >= 1030 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.ok(stretch.end < 1045, `${stretch.end}`);
  time.now = 1060;
  await fed.until(() => stretch.end >= 1090, AbortSignal.timeout(60_000));
  assert.ok(reel.removed.length > 0);
  assert.ok(stretch.first.start > 1010 && stretch.first.start <= 1030 && stretch.frames[0].time === stretch.first.start);
  await end();
});

test('a browser without room is given time, and less', async () => {
  const setUp = feed([film(base, { count: 30 })], { playhead: () => 1000, until: (f) => f.stretch.end >= 1010 });
  const { reel, end, fed } = await setUp;
  reel.full = 2;
  const before = reel.appended.length;
  await fed.until(() => reel.full === 0 && reel.appended.length > before, AbortSignal.timeout(60_000));
  await end();
});

test('a file that is deleted while it is played ends the stretch there', async () => {
  const films = [film(base), film(base + 10e6), film(base + 20e6)];
  const time = { now: 0 };
  const { recordings, table, fed, run } = await feed(films, { playhead: () => time.now, until: (f) => f.stretch.last });
  await table.at(base + 12e6);
  recordings.all = [films[0], films[2]];
  time.now = 1e9;
  await run;
  assert.deepEqual([fed.outcome?.why, fed.outcome?.next.segment.id], ['gap', films[2].id]);
});

test('a damaged fragment is an error with a sentence', async () => {
  const bad = film(base);
  bad.data.fill(0xff, bad.fragments[1].offset, bad.fragments[1].offset + 200);
  const { run } = await feed([bad], { until: () => false });
  await assert.rejects(run, { name: 'ReelError', message: /damaged/ });
});

test('key frames alone last until the next one, and are fetched some at a time', async () => {
  const lane = { sound: false, keyFramesOnly: true };
  const films = [film(base, { count: 20, keyEvery: 2 }), film(base + 60e6)];
  const { stretch, fed, reel, run, recordings } = await feed(films, { lane, rate: () => 16, until: (f) => f.outcome });
  await run;
  assert.equal(fed.outcome.why, 'gap');
  assert.equal(stretch.placed.length, 10);
  near(stretch.end, 1040);
  reel.appended.forEach(({ bytes, offset }, i) => {
    near(offset, 1000 + i * 4);
    const { samples, mediaAt } = readRun(bytes);
    assert.deepEqual(samples, [{ time: 0, duration: 360_000, size: 8 }]);
    assert.deepEqual([...bytes.subarray(mediaAt)], [0, 0, 0, 4, 0x65, 1, 2, 3]);
  });
  assert.equal(recordings.ranges.filter((text) => text.startsWith('key')).length, 10);
  near(stretch.frameAt(base + 7e6).time, 1004);
});

test('key frames that follow each other too fast for the rate are left out', async () => {
  const lane = { sound: false, keyFramesOnly: true };
  const { stretch, end } = await feed([film(base, { count: 20, wallUs: (i) => base + i * 500_000 })], { lane, rate: () => 16 });
  await end();
  assert.deepEqual(stretch.placed.map(({ start }) => start), [1000, 1002, 1004, 1006, 1008]);
  near(stretch.end, 1010);
});

test('a feed of key frames that is stopped while it waits ends', async () => {
  const lane = { sound: false, keyFramesOnly: true };
  const { end } = await feed([film(base, { count: 100 })], { lane, rate: () => 4, playhead: () => 1000, until: (f) => f.stretch.end > 1024 });
  await end();
});
