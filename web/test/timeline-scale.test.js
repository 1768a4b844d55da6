import { test } from 'node:test';
import assert from 'node:assert/strict';
import { firstScale, longestMs, Scale, shortestMs } from '../static/timeline-scale.js';

const limits = { firstMs: 1_000_000_000_000, lastMs: 1_000_000_000_000 + 30 * 86_400_000 };
const near = (a, b, slack = 1e-6) => assert.ok(Math.abs(a - b) <= slack, `${a} is not ${b}`);

test('pixels and times are each other’s inverse', () => {
  const scale = new Scale(limits.firstMs, 3_600_000, 900);
  assert.equal(scale.xOf(limits.firstMs), 0);
  assert.equal(scale.timeAt(900), limits.firstMs + 3_600_000);
  near(scale.xOf(scale.timeAt(123.4)), 123.4);
});

test('zooming keeps the time under the pointer where it is', () => {
  const scale = new Scale(limits.firstMs + 86_400_000, 3_600_000, 900);
  for (const x of [0, 17, 450, 900]) {
    for (const factor of [0.5, 0.9, 1.3, 4]) {
      const zoomed = scale.zoomed(factor, x, limits);
      near(zoomed.timeAt(x), scale.timeAt(x), 0.001);
      near(zoomed.spanMs, scale.spanMs * factor, 0.001);
    }
  }
});

test('zooming ends where there is no more to see', () => {
  let scale = new Scale(limits.firstMs, 3_600_000, 900);
  for (let i = 0; i < 60; i++) scale = scale.zoomed(0.5, 450, limits);
  assert.equal(scale.spanMs, shortestMs);
  for (let i = 0; i < 60; i++) scale = scale.zoomed(2, 450, limits);
  assert.equal(scale.spanMs, 45 * 86_400_000);
  const years = { firstMs: 0, lastMs: limits.lastMs };
  for (let i = 0; i < 60; i++) scale = scale.zoomed(2, 450, years);
  assert.equal(scale.spanMs, longestMs);
});

test('dragging moves what is shown with the finger, and never loses the recordings', () => {
  const scale = new Scale(limits.firstMs + 86_400_000, 3_600_000, 900);
  near(scale.panned(90).fromMs, scale.fromMs - 360_000);
  for (const px of [-1e9, 1e9]) {
    const { fromMs, toMs } = scale.panned(px).within(limits);
    assert.ok(fromMs < limits.lastMs && toMs > limits.firstMs, `${px}`);
  }
  assert.equal(scale.within(limits), scale, 'what is inside stays the same object');
});

test('the present can be seen with a little room behind it, not more', () => {
  const scale = new Scale(limits.lastMs + 3_600_000, 3_600_000, 1000).within(limits);
  near(scale.xOf(limits.lastMs), 880, 0.01);
});

test('at first the end is at the right, and a short recording is no sliver', () => {
  const wide = firstScale(1248, limits);
  near(wide.xOf(limits.lastMs), 1248 * 0.88, 0.01);
  assert.ok(wide.spanMs > 3_600_000 && wide.spanMs <= 3 * 3_600_000);
  const young = firstScale(1248, { firstMs: limits.lastMs - 5 * 60_000, lastMs: limits.lastMs });
  assert.equal(young.spanMs, 8 * 60_000);
  assert.equal(firstScale(374, { firstMs: limits.lastMs, lastMs: limits.lastMs }).spanMs, 60_000);
});

test('the way from one scale to another is even and ends there', () => {
  const a = new Scale(limits.firstMs, 1_000_000, 900);
  const b = new Scale(limits.firstMs + 5e9, 16_000_000, 900);
  near(a.towards(b, 0.5).spanMs, 4_000_000, 1);
  near(a.towards(b, 1).fromMs, b.fromMs, 0.01);
  near(a.towards(b, 1).spanMs, b.spanMs, 0.01);
  near(a.towards(b, 0).fromMs, a.fromMs, 0.01);
});
