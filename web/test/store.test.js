import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Backoff, pause } from '../static/backoff.js';
import { Store } from '../static/store.js';

test('a watcher is told the value now and after every change, until it stops', () => {
  const store = new Store({ a: 1, b: 2 });
  const seen = [];
  const stop = store.watch((value) => seen.push(value));
  store.set({ a: 1 });
  store.set({ a: 3 });
  stop();
  store.set({ a: 4 });
  assert.deepEqual(seen, [{ a: 1, b: 2 }, { a: 3, b: 2 }]);
  assert.deepEqual(store.value, { a: 4, b: 2 });
});

test('a watcher may stop another one while both are being told', () => {
  const store = new Store({ a: 0 });
  let told = 0;
  let stopSecond = () => {};
  store.watch(({ a }) => a > 0 && stopSecond());
  stopSecond = store.watch(() => (told += 1));
  store.set({ a: 1 });
  assert.equal(told, 1);
});

test('waits double up to the limit, spread over the upper half', () => {
  const low = new Backoff({ firstMs: 100, limitMs: 1000, random: () => 0 });
  const high = new Backoff({ firstMs: 100, limitMs: 1000, random: () => 1 });
  assert.deepEqual(Array.from({ length: 6 }, () => low.next()), [50, 100, 200, 400, 500, 500]);
  assert.deepEqual(Array.from({ length: 6 }, () => high.next()), [100, 200, 400, 800, 1000, 1000]);
  high.reset();
  assert.equal(high.next(), 100);
});

test('a pause ends early when it is given up', async () => {
  const stop = new AbortController();
  const long = pause(60_000, stop.signal);
  stop.abort();
  await long;
  await pause(60_000, stop.signal);
});
