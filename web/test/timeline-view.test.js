import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Scale } from '../static/timeline-scale.js';
import { TimelineView } from '../static/timeline-view.js';

const now = 1_763_740_800_000;
const limits = { firstMs: now - 30 * 86_400_000, lastMs: now };
const near = (a, b, slack = 1) => assert.ok(Math.abs(a - b) <= slack, `${a} is not ${b}`);

function shown({ calm = false } = {}) {
  const view = new TimelineView(() => calm);
  view.resize(1000);
  view.limits = limits;
  return view;
}

/** Draws frames until nothing moves by itself. */
function settle(view, playheadMs = now) {
  let frames = 0;
  for (let t = 1000; view.moving && frames < 1000; t += 16, frames++) view.tick(t, playheadMs);
  return frames;
}

test('there is nothing to see before it is known how wide it is and what there is', () => {
  const view = new TimelineView(() => false);
  view.resize(1000);
  assert.equal(view.placed, false);
  view.limits = limits;
  assert.ok(view.placed);
  near(view.scale.xOf(now), 880);
});

test('the present stays where it is while time goes on', () => {
  const view = shown();
  for (let s = 1; s <= 600; s++) {
    view.limits = { ...limits, lastMs: now + s * 1000 };
    view.follow(now + s * 1000);
  }
  near(view.scale.xOf(now + 600_000), 880);
});

test('a playhead that somebody has left behind is left behind', () => {
  const view = shown();
  view.move(view.scale.panned(5000), now);
  const { fromMs } = view.scale;
  view.follow(now + 60_000);
  assert.equal(view.scale.fromMs, fromMs);
  view.move(view.scale.panned(-5000), now);
  view.follow(now + 3_600_000);
  assert.notEqual(view.scale.fromMs, fromMs);
});

test('a moment that was chosen near the edge does not make the view jump', () => {
  const view = shown();
  view.move(view.scale.panned(3000), now);
  const { fromMs } = view.scale;
  const chosen = view.scale.timeAt(970);
  view.hold(chosen);
  view.follow(chosen);
  assert.equal(view.scale.fromMs, fromMs);
  view.follow(chosen + 10 * view.scale.msPerPx);
  near(view.scale.xOf(chosen), 960);
});

test('it travels to a moment out of sight, and stays where it is for one in sight', () => {
  const view = shown();
  view.reveal(now - 600_000);
  assert.equal(view.moving, false);
  view.reveal(now - 5 * 86_400_000);
  assert.ok(settle(view) > 5);
  assert.ok(view.scale.shows(now - 5 * 86_400_000));
});

test('who wants nothing to move is taken there at once, and nothing is thrown', () => {
  const view = shown({ calm: true });
  view.show(now - 86_400_000, now);
  assert.equal(view.moving, false);
  near(view.scale.spanMs, 86_400_000);
  view.fling(2);
  assert.equal(view.moving, false);
});

test('zooms add up while they are under way', () => {
  const view = shown();
  const { spanMs } = view.scale;
  for (let i = 0; i < 3; i++) view.zoom(0.5, now);
  settle(view);
  near(view.scale.spanMs, spanMs / 8);
  near(view.scale.xOf(now), 880);
});

test('a throw ends at the end of what is recorded', () => {
  const view = shown();
  view.move(new Scale(limits.firstMs, 3_600_000, 1000), now);
  view.fling(50);
  assert.ok(settle(view) < 200);
  assert.ok(view.scale.toMs > limits.firstMs);
});

test('a window of another size shows the same time', () => {
  const view = shown();
  const { fromMs, spanMs } = view.scale;
  view.resize(400);
  assert.deepEqual([view.scale.fromMs, view.scale.spanMs, view.scale.width], [fromMs, spanMs, 400]);
  view.follow(now);
  near(view.scale.fromMs, fromMs);
});
