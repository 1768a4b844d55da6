import { test } from 'node:test';
import assert from 'node:assert/strict';
import { shareOf, weeksOf } from '../static/days.js';

process.env.TZ = 'Europe/Berlin';

test('a month has whole weeks from Monday to Sunday', () => {
  const november = weeksOf(2026, 10);
  assert.equal(november.length, 6);
  assert.ok(november.every((week) => week.length === 7));
  assert.deepEqual([november[0][0].key, november[0][6].key, november[5][6].key], ['2026-10-26', '2026-11-01', '2026-12-06']);
  assert.equal(november.flat().filter(({ inside }) => inside).length, 30);
  assert.equal(weeksOf(2021, 1).length, 4, 'a February that begins on a Monday');
});

test('days are those of the local clock, also when it is changed', () => {
  const day = (key) => weeksOf(2026, Number(key.slice(5, 7)) - 1).flat().find((each) => each.key === key);
  const hours = ({ fromMs, toMs }) => (toMs - fromMs) / 3_600_000;
  assert.deepEqual(['2026-03-29', '2026-10-25', '2026-11-21'].map(day).map(hours), [23, 25, 24]);
});

test('a day that is still going on is whole when all of it so far is there', () => {
  const day = { fromMs: 0, toMs: 86_400_000 };
  assert.equal(shareOf(43_200_000, day, 43_200_000), 1);
  assert.equal(shareOf(43_200_000, day, 1e12), 0.5);
  assert.equal(shareOf(200_000_000, day, 1e12), 1, 'two renditions are no two days');
  assert.equal(shareOf(0, day, -5), 0);
});
