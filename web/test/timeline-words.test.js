import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  bytesInWords, causeInWords, durationInWords, eventInWords, eventsInWords, gapInWords, isPlanned, momentInWords, rangeInWords,
} from '../static/timeline-words.js';

const at = (...parts) => new Date(...parts).getTime();
const offline = { fromMs: at(2026, 10, 21, 14, 2), toMs: at(2026, 10, 21, 14, 9), cause: 'camera-offline', text: '' };

test('a gap says why and when', () => {
  assert.equal(gapInWords(offline), 'Camera was offline, 14:02 to 14:09');
  assert.equal(gapInWords({ ...offline, toMs: offline.fromMs + 40_000 }), 'Camera was offline, 14:02:00 to 14:02:40');
  assert.equal(gapInWords({ ...offline, fromMs: at(2026, 10, 20, 23, 50) }), 'Camera was offline, Fri 20 Nov 23:50 to Sat 21 Nov 14:09');
});

test('a cause that this page does not know yet is said in the recorder’s words', () => {
  assert.equal(causeInWords({ cause: 'meteor', text: 'A meteor fell.' }), 'A meteor fell');
  assert.equal(causeInWords({ cause: 'constructor', text: '' }), 'Not recorded; nobody knows why');
});

test('what somebody wanted is no failure', () => {
  assert.ok(['paused', 'schedule', 'no-event', 'clock-step'].every(isPlanned));
  assert.ok(!['camera-offline', 'crash', 'unknown', ''].some(isPlanned));
});

test('events say what happened, many of them how many', () => {
  assert.equal(eventInWords({ type: 'front-door', text: 'opened' }), 'Front door: opened');
  assert.equal(eventInWords({ type: '', text: '' }), 'Event');
  const many = ['door', 'motion', 'motion'].map((type) => ({ type, text: '' }));
  assert.equal(eventsInWords(many), '3 events: 2 motion, 1 door');
  assert.equal(eventsInWords(many.slice(0, 1)), 'Door');
});

test('lengths and sizes are short', () => {
  assert.deepEqual(
    [0, 12_400, 80_000, 3 * 60_000, 25 * 60_000 + 9_000, 3_600_000, 3_900_000, 50 * 3_600_000].map(durationInWords),
    ['0 s', '12 s', '1 min 20 s', '3 min', '25 min', '1 h', '1 h 5 min', '2 days 2 h'],
  );
  assert.deepEqual([999, 1500, 12_300_000, 1_440_000_000].map(bytesInWords), ['999 bytes', '1.5 kB', '12 MB', '1.4 GB']);
});

test('a range names its days only where it spans some', () => {
  assert.equal(rangeInWords(at(2026, 10, 21, 9), at(2026, 10, 21, 9, 30)), '09:00 to 09:30');
  assert.equal(rangeInWords(at(2026, 10, 21, 9), at(2026, 10, 21, 9)), '09:00:00');
});

test('a screen reader hears day, time and what is there', () => {
  const nowMs = at(2026, 10, 21, 18);
  const there = { live: false, recorded: true, gap: null, nowMs };
  assert.equal(momentInWords(at(2026, 10, 21, 14, 3, 22), there), 'today, 14:03:22, recorded');
  assert.equal(momentInWords(at(2026, 10, 20, 14, 3, 22), there), 'Friday 20 November, 14:03:22, recorded');
  assert.equal(momentInWords(offline.fromMs, { ...there, gap: offline }), 'today, 14:02:00, Camera was offline, 14:02 to 14:09');
  assert.equal(momentInWords(nowMs, { ...there, live: true }), 'Live');
});
