import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Scale } from '../static/timeline-scale.js';
import { dateKey, dayName, spokenDay, startOfDay } from '../static/local-time.js';
import { daysOf, stepFor, ticksOf } from '../static/timeline-ticks.js';

process.env.TZ = 'Europe/Berlin';
const hour = 3_600_000;
const at = (...parts) => new Date(...parts).getTime();
const labels = (scale) => ticksOf(scale).filter(({ label, ms }) => label && scale.shows(ms)).map(({ label }) => label);

test('labels never come closer than they may, at any zoom', () => {
  for (let spanMs = 10_000; spanMs < 70 * 24 * hour; spanMs *= 1.37) {
    for (const width of [374, 1248]) {
      const scale = new Scale(at(2026, 10, 21, 14, 2, 7), spanMs, width);
      const ticks = ticksOf(scale, { labelPx: 72 });
      const labelled = ticks.filter(({ label }) => label);
      assert.ok(labelled.length >= 2 && labelled.length < 40, `${labelled.length} labels at ${spanMs}`);
      assert.ok(ticks.length < 400, `${ticks.length} ticks at ${spanMs}`);
      for (let i = 1; i < labelled.length; i++) {
        const apart = scale.xOf(labelled[i].ms) - scale.xOf(labelled[i - 1].ms);
        // A day that has 23 hours is a little short.
        assert.ok(apart >= 72 * 0.9, `${labelled[i].label} is ${apart} px after ${labelled[i - 1].label}, span ${spanMs}`);
      }
    }
  }
});

test('steps are those of a clock', () => {
  assert.deepEqual(stepFor(100, 72), { major: 10_000, minor: 2_000 });
  assert.deepEqual(stepFor(6_000, 72), { major: 10 * 60_000, minor: 2 * 60_000 });
  assert.equal(stepFor(1e12, 72).major, 14 * 24 * hour);
});

test('times are those of the clock on the wall, and a day begins with its name', () => {
  const scale = new Scale(at(2026, 10, 20, 21, 30), 6 * hour, 600);
  assert.deepEqual(labels(scale), ['22:00', '23:00', 'Sat 21 Nov', '01:00', '02:00', '03:00']);
  assert.deepEqual(labels(new Scale(at(2026, 10, 20, 21, 30, 3), 10_000, 400)), ['21:30:04', '21:30:06', '21:30:08', '21:30:10', '21:30:12']);
});

test('an hour that the clock leaves out or shows twice leaves no other label wrong', () => {
  const spring = new Scale(at(2026, 2, 29, 0, 0), 6 * hour, 600);
  assert.deepEqual(labels(spring), ['Sun 29 Mar', '01:00', '03:00', '04:00', '05:00', '06:00', '07:00']);
  const autumn = new Scale(at(2026, 9, 25, 0, 0), 6 * hour, 600);
  assert.deepEqual(labels(autumn), ['Sun 25 Oct', '01:00', '02:00', '02:00', '03:00', '04:00', '05:00']);
  const coarse = new Scale(at(2026, 9, 24, 12, 0), 49 * hour, 600);
  assert.deepEqual(labels(coarse), ['12:00', '18:00', 'Sun 25 Oct', '06:00', '12:00', '18:00', 'Mon 26 Oct', '06:00', '12:00']);
});

test('weeks begin on Mondays, wherever one looks', () => {
  for (const first of [1, 2, 3, 4, 5]) {
    const scale = new Scale(at(2026, 9, first), 60 * 24 * hour, 700);
    const weeks = ticksOf(scale).filter(({ label }) => label).map(({ ms }) => new Date(ms));
    assert.ok(weeks.every((date) => date.getDay() === 1 && date.getHours() === 0), String(weeks));
  }
});

test('day borders are midnights, also where a day has 25 hours', () => {
  const days = daysOf(new Scale(at(2026, 9, 24, 1), 71 * hour, 700));
  assert.deepEqual(days, [at(2026, 9, 25), at(2026, 9, 26)]);
  assert.equal(days[1] - days[0], 25 * hour);
  assert.equal(startOfDay(at(2026, 9, 25, 23)), days[0]);
  assert.equal(dayName(days[0]), 'Sun 25 Oct');
  assert.equal(spokenDay(days[0]), 'Sunday 25 October');
  assert.equal(dateKey(days[0]), '2026-10-25');
});
