import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Gestures, glide, wheelAction } from '../static/timeline-gestures.js';

function hand(grab = () => 'pan') {
  const said = [];
  const say = (name) => (...args) => void said.push([name, ...args]);
  const actions = Object.fromEntries(['tap', 'pan', 'zoom', 'fling', 'scrub', 'drop'].map((name) => [name, say(name)]));
  return { said, gestures: new Gestures({ ...actions, grab }) };
}
const p = (x, t = 0, id = 1) => ({ id, x, t });
const sum = (said, name) => said.filter(([each]) => each === name).reduce((all, [, by]) => all + by, 0);

test('a press that hardly moves is a tap', () => {
  const { said, gestures } = hand();
  gestures.down(p(100));
  gestures.move(p(103, 50));
  gestures.up(p(103, 80));
  assert.deepEqual(said, [['tap', 103]]);
});

test('what is dragged stays under the finger', () => {
  const { said, gestures } = hand();
  gestures.down(p(100));
  for (let x = 101; x <= 160; x++) gestures.move(p(x, (x - 100) * 16));
  gestures.move(p(160, 2000));
  gestures.up(p(160, 2200));
  assert.equal(sum(said, 'pan'), 60);
  assert.ok(!said.some(([name]) => name === 'fling' || name === 'tap'), 'held still before the release');
});

test('a drag that ends in motion is thrown on at its speed', () => {
  const { said, gestures } = hand();
  gestures.down(p(300));
  for (let i = 1; i <= 10; i++) gestures.move(p(300 - i * 16, i * 16));
  gestures.up(p(140, 165));
  const [, speed] = said.at(-1);
  assert.equal(said.at(-1)[0], 'fling');
  assert.ok(Math.abs(speed + 1) < 0.1, String(speed));
});

test('two fingers zoom about their middle', () => {
  const { said, gestures } = hand();
  gestures.down(p(100, 0, 1));
  gestures.down(p(200, 10, 2));
  gestures.move(p(300, 20, 2));
  assert.deepEqual(said, [['pan', 50], ['zoom', 0.5, 200]]);
  gestures.up(p(300, 30, 2));
  gestures.move(p(90, 40, 1));
  assert.deepEqual(said.at(-1), ['pan', -10], 'the finger that stays goes on dragging');
  gestures.up(p(90, 500, 1));
  assert.equal(gestures.doing, 'none');
  assert.ok(!said.some(([name]) => name === 'tap'));
});

test('fingers that meet do not zoom into nothing', () => {
  const { said, gestures } = hand();
  gestures.down(p(100, 0, 1));
  gestures.down(p(101, 0, 2));
  gestures.move(p(100, 10, 2));
  gestures.move(p(99, 20, 2));
  assert.ok(said.filter(([name]) => name === 'zoom').every(([, factor]) => factor === 1));
});

test('the playhead is dragged by itself, and a second finger takes that back', () => {
  const { said, gestures } = hand((x) => (x === 100 ? 'scrub' : 'pan'));
  gestures.down(p(100));
  gestures.move(p(120, 20));
  gestures.move(p(130, 40));
  gestures.up(p(130, 60));
  assert.deepEqual(said, [['scrub', 120], ['scrub', 130], ['drop', 130, true]]);
  said.length = 0;
  gestures.down(p(100, 100));
  gestures.move(p(150, 120));
  gestures.down(p(300, 130, 2));
  assert.deepEqual(said.at(-1), ['drop', 300, false]);
});

test('a pointer that the system takes away does nothing', () => {
  const { said, gestures } = hand(() => 'scrub');
  gestures.down(p(100));
  gestures.cancel(1);
  assert.deepEqual(said, []);
  gestures.down(p(100));
  gestures.move(p(150, 20));
  gestures.cancel(1);
  assert.deepEqual(said.at(-1), ['drop', 150, false]);
  gestures.move(p(170, 40));
  gestures.up(p(170, 50));
  assert.equal(said.length, 2);
});

test('a throw goes the same way however often it is drawn, and ends', () => {
  const way = (frameMs) => {
    let [speed, x, ms] = [2, 0, 0];
    while (speed !== 0 && ms < 10_000) {
      const next = glide(speed, frameMs);
      x += next.byPx;
      speed = next.speed;
      ms += frameMs;
    }
    assert.ok(ms < 3_000);
    return x;
  };
  assert.ok(Math.abs(way(8) - way(33)) < 5, `${way(8)} and ${way(33)}`);
  assert.ok(glide(-2, 16).byPx < 0);
});

test('a wheel zooms, sideways or with Shift it pans, and no turn is too much', () => {
  const turn = (event) => wheelAction({ deltaX: 0, deltaY: 0, deltaMode: 0, shiftKey: false, ctrlKey: false, ...event });
  assert.ok(turn({ deltaY: -100 }).factor < 1);
  assert.equal(turn({ deltaY: 100 }).factor * turn({ deltaY: -100 }).factor, 1);
  assert.equal(turn({ deltaY: 1e6 }).factor, turn({ deltaY: 240 }).factor);
  assert.ok(turn({ deltaY: 2, ctrlKey: true }).factor > turn({ deltaY: 2 }).factor);
  assert.deepEqual(turn({ deltaX: 30, deltaY: 4 }), { panPx: -30 });
  assert.deepEqual(turn({ deltaY: 3, deltaMode: 1, shiftKey: true }), { panPx: -72 });
});
