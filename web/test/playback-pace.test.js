import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Pace } from '../static/playback-pace.js';

const fullHd = { width: 1920, height: 1080, video: 'avc1.640028' };

function setUp() {
  const time = { now: 0 };
  const pace = new Pace(() => time.now);
  pace.saw(Array.from({ length: 51 }, (_, i) => ({ time: i * 0.04 })));
  let shown = 0;
  /** Plays for some looks of 250 ms each. */
  const play = (looks, { rate = 8, perSecond = 40, ahead = 10, moves = true, over = false } = {}) => {
    let tired = false;
    for (let i = 0; i < looks; i++) {
      time.now += 250;
      shown += perSecond / 4;
      tired ||= pace.look({ frames: shown, rate, ahead, moves, over });
    }
    return tired;
  };
  return { pace, play };
}

test('up to twice the speed every frame is decoded, and small pictures at any speed', () => {
  const { pace } = setUp();
  assert.equal(Math.round(pace.framesPerSecond), 25);
  assert.equal(pace.tooFast(fullHd, 2), false);
  assert.equal(pace.tooFast({ width: 320, height: 180 }, 16), false);
});

test('where key frames are far apart they make no moving picture', () => {
  const { pace } = setUp();
  assert.equal(pace.tooFast({ width: 7680, height: 4320 }, 8), true);
  pace.keyEveryMs = 10_000;
  assert.equal(pace.tooFast({ width: 7680, height: 4320 }, 8), false);
});

test('a decoder that does not keep up is noticed, and remembered for that rate and those above', () => {
  const { pace, play } = setUp();
  const small = { width: 640, height: 360 };
  assert.equal(play(30), false);
  assert.equal(play(15, { perSecond: 3 }), true);
  assert.deepEqual([4, 8, 16].map((rate) => pace.tooFast(small, rate)), [false, true, true]);
});

test('a way to the recorder that does not keep up is noticed', () => {
  const { play } = setUp();
  assert.equal(play(12, { ahead: 0.2, moves: false, perSecond: 0 }), true);
});

test('neither the end of a recording nor a slow rate counts', () => {
  assert.equal(setUp().play(30, { ahead: 0.2, moves: false, perSecond: 0, over: true, rate: 2 }), false);
  assert.equal(setUp().play(30, { rate: 1, perSecond: 0 }), false);
});
