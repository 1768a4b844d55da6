import { afterEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { Playback } from '../static/playback.js';
import { film, FilmLibrary, gapless } from './fake-film.js';
import { FakeVideo, installMedia } from './fake-media.js';

installMedia();

const base = 1_763_740_800_000;
const ms = (seconds) => base + seconds * 1000;
const open = [];

function setUp(films, { camera = 'front' } = {}) {
  const recordings = new FilmLibrary(films);
  const video = new FakeVideo();
  const states = [];
  const playback = new Playback({ video, recordings, camera, onChange: ({ phase }) => phase !== states.at(-1) && states.push(phase) });
  open.push(playback);
  const position = () => Math.round(playback.positionMs - base);
  return { recordings, video, playback, states, position };
}

afterEach(() => {
  for (const playback of open.splice(0)) playback.close();
});

/** Waits until something holds. */
async function until(condition, what = condition) {
  for (let i = 0; i < 6000; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`never: ${what}`);
}

const at = (seconds, options) => film(ms(seconds) * 1000, options);

test('a seek shows the frame of that time, and knows its time', async () => {
  const { playback, position, states } = setUp([at(0, { count: 50 })]);
  assert.equal(playback.state.phase, 'idle');
  for (const [asked, shown] of [[10_000, 10_000], [10_039, 10_000], [10_041, 10_040], [63_999, 63_960], [2, 0]]) {
    await playback.seek(base + asked);
    assert.equal(position(), shown, `${asked}`);
  }
  assert.deepEqual([playback.state.phase, states[0]], ['paused', 'buffering']);
});

test('a frame that is reported too late is not the one that was sought', async () => {
  const { playback, position, video } = setUp([at(0, { count: 50 })]);
  await playback.seek(ms(2));
  const before = video.shown.at(-1);
  await playback.seek(ms(3.2));
  video.report(before);
  assert.equal(position(), 3_200);
  await playback.step(1);
  video.report(before);
  assert.equal(position(), 3_240);
  playback.play();
  await until(() => !video.paused);
  await video.run(0.2);
  assert.equal(position(), 3_440);
});

test('the newest of several seeks counts', async () => {
  const { playback, position } = setUp([at(0, { count: 100 })]);
  await Promise.all([playback.seek(ms(20)), playback.seek(ms(100)), playback.seek(ms(150))]);
  assert.equal(position(), 150_000);
});

test('in a gap the first picture after it is shown, after everything the last', async () => {
  const { playback, position } = setUp([at(0), at(100)]);
  await playback.seek(ms(50));
  assert.equal(position(), 100_000);
  assert.deepEqual(playback.state.gap && playback.state.gap.toMs, ms(100));
  await playback.seek(ms(5000));
  assert.deepEqual([position(), playback.state.gap], [109_960, null]);
});

test('playing goes over files and gaps, and ends at the end', async () => {
  const { playback, video, position, states } = setUp([at(0), at(10, { audio: 'opus', heard: gapless }), at(100)]);
  await playback.seek(ms(9));
  playback.play();
  await until(() => playback.state.phase === 'playing');
  await video.run(5);
  await until(() => playback.state.sound && playback.state.phase === 'playing', 'sound begins');
  assert.equal(playback.state.gap, null);
  await video.run(20);
  await until(() => position() >= 100_000, 'the gap is left behind');
  assert.deepEqual(playback.state.gap, { fromMs: ms(20), toMs: ms(100) });
  assert.ok(states.includes('gap'));
  await video.run(20);
  await until(() => playback.state.phase === 'ended');
  assert.equal(position(), 109_960);
  const walls = new Set(video.shown.map((time) => time.toFixed(3)));
  assert.ok(walls.size >= 25 + 250 + 250, 'no frame was left out');
});

test('an element at its end is not started over', async () => {
  const { playback, video, position } = setUp([at(0)]);
  await playback.seek(ms(9));
  playback.play();
  await until(() => playback.state.phase === 'playing');
  await video.run(5);
  await until(() => playback.state.phase === 'ended');
  playback.pause();
  playback.play();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(video.currentTime > 1000);
  assert.deepEqual([playback.state.phase, position()], ['ended', 9960]);
  await playback.seek(ms(1));
  assert.deepEqual([playback.state.phase, position()], ['playing', 1000]);
});

test('a recording that grows is followed', async () => {
  const growing = at(0, { count: 5, open: true });
  const whole = at(0, { count: 8, open: true });
  const { playback, video, position, recordings } = setUp([growing]);
  await playback.seek(ms(9));
  playback.play();
  await until(() => playback.state.phase === 'playing');
  await video.run(5);
  await until(() => playback.state.phase === 'ended');
  assert.equal(playback.state.growing, true);
  recordings.all = [whole];
  await until(() => playback.state.phase === 'playing', 'it goes on');
  await video.run(5);
  assert.ok(position() > 12_000);
});

test('steps go to the next frame and to the one before, over files, gaps and tracks', async () => {
  const { playback, position } = setUp([at(0), at(10), at(20, { audio: 'opus', heard: gapless }), at(100)]);
  for (const from of [9.9, 19.9, 29.9]) {
    await playback.seek(ms(from));
    const there = [position()];
    for (let i = 0; i < 5; i++) {
      assert.equal(await playback.step(1), true);
      there.push(position());
    }
    const back = [position()];
    for (let i = 0; i < 5; i++) {
      assert.equal(await playback.step(-1), true);
      back.push(position());
    }
    assert.deepEqual(back.reverse(), there);
    const gap = from === 29.9 ? 70_000 : 0;
    there.slice(1).forEach((time, i) => assert.ok([40, 40 + gap].includes(time - there[i]), `${there}`));
  }
  await playback.seek(ms(0));
  assert.equal(await playback.step(-1), false);
  await playback.seek(ms(109.96));
  assert.equal(await playback.step(1), false);
  assert.equal(position(), 109_960);
});

test('steps that are asked for at once are all made', async () => {
  const { playback, position } = setUp([at(0)]);
  await playback.seek(ms(1));
  await Promise.all(Array.from({ length: 10 }, () => playback.step(1)));
  assert.equal(position(), 1400);
});

test('a rate that is too high shows key frames, and a pause the very picture', async () => {
  const { playback, video, position } = setUp([at(0, { count: 60 })]);
  const big = at(0, { count: 60 });
  big.width = 7680;
  big.height = 4320;
  const huge = setUp([big]);
  huge.playback.rate = 16;
  await huge.playback.seek(ms(21));
  assert.equal(huge.playback.state.keyFramesOnly, false);
  huge.playback.play();
  await until(() => huge.playback.state.keyFramesOnly && huge.playback.state.phase === 'playing');
  assert.equal(huge.position(), 20_000);
  assert.equal(huge.video.playbackRate, 16);
  await huge.video.run(0.5);
  huge.playback.pause();
  await until(() => !huge.playback.state.keyFramesOnly && huge.playback.state.phase === 'paused');
  assert.equal(huge.position() % 2000, 0);

  playback.rate = 16;
  await playback.seek(ms(1));
  playback.play();
  await until(() => playback.state.phase === 'playing');
  assert.equal(playback.state.keyFramesOnly, false, 'a small picture is decoded at any rate');
  await video.run(0.1);
  assert.ok(position() > 1000);
});

test('what is started or stopped while it seeks is so afterwards', async () => {
  const { playback, video } = setUp([at(0, { count: 20 })]);
  const seeking = playback.seek(ms(5));
  playback.play();
  await seeking;
  assert.equal(video.paused, false);
  const again = playback.seek(ms(30));
  playback.pause();
  await again;
  assert.deepEqual([video.paused, playback.state.phase], [true, 'paused']);
});

test('an element that somebody else pauses stays paused', async () => {
  const { playback, video } = setUp([at(0)]);
  await playback.seek(ms(1));
  playback.play();
  await until(() => playback.state.phase === 'playing');
  video.pause();
  assert.deepEqual([playback.state.wantsPlay, playback.state.phase], [false, 'paused']);
  await video.play();
  assert.equal(playback.state.wantsPlay, true);
});

test('what cannot be played is said in a sentence, and other parts still play', async () => {
  const { playback, position } = setUp([at(0), at(100, { video: 'hvc1.1.6.L93.B0' })]);
  await playback.seek(ms(105));
  assert.equal(playback.state.phase, 'error');
  assert.match(playback.state.message, /cannot play H\.265/);
  await playback.seek(ms(5));
  assert.deepEqual([playback.state.phase, playback.state.message, position()], ['paused', '', 5000]);

  const empty = setUp([]);
  await empty.playback.seek(ms(0));
  assert.deepEqual([empty.playback.state.phase, empty.playback.state.message], ['error', 'Nothing is recorded of this camera yet.']);
});

test('a file that was deleted meanwhile is a gap', async () => {
  const { playback, recordings, position } = setUp([at(0), at(10), at(20)]);
  await playback.seek(ms(1));
  await playback.seek(ms(21));
  recordings.all = recordings.all.filter((_, i) => i !== 1);
  const fresh = setUp(recordings.all);
  await fresh.playback.seek(ms(15));
  assert.equal(fresh.position(), 20_000);
  await playback.seek(ms(15));
  assert.ok([15_000, 20_000].includes(position()));
});

test('a closed playback lets the element go, and says nothing more', async () => {
  const { playback, video, states } = setUp([at(0)]);
  await playback.seek(ms(1));
  const seeking = playback.seek(ms(9));
  playback.close();
  playback.close();
  await seeking;
  const said = states.length;
  playback.play();
  await playback.seek(ms(5));
  assert.deepEqual([video.src, states.length], ['', said]);
});
