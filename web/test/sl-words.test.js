import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  agoInWords, camerasInWords, clockInWords, deviceLabel, enumerate, logInWords, rightsInWords, seenInWords, untilInWords,
} from '../static/sl-words.js';

const now = new Date(2026, 10, 20, 14, 0);
const seconds = (...date) => new Date(...date).getTime() / 1000;
const house = `${'a'.repeat(51)}q`;
const cellar = `${'b'.repeat(51)}q`;

test('lists are read as people say them', () => {
  assert.deepEqual([enumerate([]), enumerate(['a']), enumerate(['a', 'b']), enumerate(['a', 'b', 'c'])], ['', 'a', 'a and b', 'a, b and c']);
  assert.equal(rightsInWords(['talk', 'live', 'playback']), 'Live, recordings and talk');
  assert.equal(rightsInWords([]), '');
});

test('cameras are called by their names, those of other devices by the device too', () => {
  const one = { publisher: house, cameras: [{ id: 'front', name: 'Front door' }, { id: 'garden', name: '' }], publishers: [{ id: house, name: 'House' }] };
  const two = { ...one, publishers: [...one.publishers, { id: cellar, name: '' }] };
  assert.equal(camerasInWords(['*'], two), 'all cameras');
  assert.equal(camerasInWords([`${house}/*`], one), 'all cameras');
  assert.equal(camerasInWords([`${house}/*`], two), 'all cameras of House');
  assert.equal(camerasInWords([`${house}/front`, `${house}/garden`, `${cellar}/hall`], two), 'Front door, garden and hall at bbbb-bbbb…');
  assert.equal(camerasInWords(['a', 'b', 'c', 'd', 'e'].map((id) => `${house}/${id}`), one), 'a, b, c and 2 more');
});

test('access ends at a time, when it is revoked, or has ended', () => {
  assert.equal(untilInWords(0, now), 'until revoked');
  assert.equal(untilInWords(seconds(2026, 10, 20, 15, 30), now), 'until 15:30');
  assert.equal(untilInWords(seconds(2026, 10, 27, 15, 30), now), 'until 27 Nov, 15:30');
  assert.equal(untilInWords(seconds(2026, 10, 19, 15, 30), now), 'ended 19 Nov, 15:30');
});

test('what was seen is as long ago as people would say', () => {
  const ago = (ms) => agoInWords(0, ms);
  assert.deepEqual([30e3, 5 * 60e3, 3 * 3600e3, 48 * 3600e3].map(ago), ['just now', '5 minutes ago', '3 hours ago', '2 days ago']);
  assert.equal(seenInWords(''), 'never seen');
  assert.equal(seenInWords(new Date(0).toISOString(), 3 * 3600e3), 'seen 3 hours ago');
});

test('every entry of the log has a sentence, those of kinds to come too', () => {
  const entry = (change) => ({ seq: 1, time: '', kind: 'came', peer: house, name: 'Anna', what: '', from: '', ...change });
  assert.equal(logInWords(entry({})).title, 'Anna connected');
  assert.equal(logInWords(entry({ name: '' })).title, 'aaaa-aaaa… connected');
  assert.equal(logInWords(entry({ name: '', peer: '' })).title, 'Somebody connected');
  assert.equal(logInWords(entry({ kind: 'started' })).title, 'The agent started');
  assert.equal(logInWords(entry({ kind: 'moved' })).title, 'Anna moved');
  assert.equal(logInWords(entry({ kind: 'toString', peer: '', name: '' })).title, 'ToString');
  assert.deepEqual(logInWords(entry({ kind: 'refused', what: 'expired', from: '192.0.2.7' })), {
    title: 'Anna was refused', detail: 'expired · from 192.0.2.7', tone: 'careful',
  });
});

test('a clock is worth a word if it is not believed, or minutes off', () => {
  const nowMs = now.getTime();
  assert.equal(clockInWords({ believable: true, unixMs: nowMs - 4 * 60e3 }, nowMs), '');
  assert.match(clockInWords({ believable: true, unixMs: nowMs + 6 * 60e3 }, nowMs), /ends by that clock/);
  assert.match(clockInWords({ believable: false, unixMs: 0 }, nowMs), /1970.*latest time that an owner has signed/);
  assert.equal(clockInWords({ believable: false, unixMs: NaN }, nowMs), '');
});

test('a device is called by its browser and system', () => {
  const linux = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)';
  const labels = /** @type {[object, string][]} */ ([
    [{ userAgent: `${linux} Chrome/140.0.0.0 Safari/537.36`, userAgentData: { brands: [{ brand: 'Chromium' }] } }, 'Chromium on Linux'],
    [{ userAgent: `${linux} Chrome/140.0.0.0 Safari/537.36`, userAgentData: { brands: [{ brand: 'Google Chrome' }] } }, 'Chrome on Linux'],
    [{ userAgent: `${linux} HeadlessChrome/140.0.0.0 Safari/537.36` }, 'Chromium on Linux'],
    [{ userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0' }, 'Edge on Windows'],
    [{ userAgent: 'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0' }, 'Firefox on Android'],
    [{ userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1' }, 'Safari on iPhone'],
    [{ userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15', maxTouchPoints: 5 }, 'Safari on iPad'],
    [{ userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15' }, 'Safari on macOS'],
    [{ userAgent: 'curl/8' }, 'Browser'],
  ]);
  for (const [browser, label] of labels) assert.equal(deviceLabel(browser), label);
});
