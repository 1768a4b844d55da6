import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readRun, trackOf } from '../static/playback-boxes.js';
import { makeFragment, withLengths } from '../static/playback-fragment.js';
import { box, bytes, init, part, u32 } from './fake-mp4.js';

test('the frames of a fragment have the times at which they are shown', () => {
  // Decoded I P B B, shown I B B P.
  const samples = [{ duration: 3600 }, { duration: 3600, offset: 7200 }, { duration: 3600, offset: -3600 }, { duration: 3600, offset: -3600 }];
  const run = readRun(bytes(part({ start: 90_000, samples })));
  assert.deepEqual(run.samples.map(({ time }) => time), [90_000, 100_800, 93_600, 97_200]);
  assert.deepEqual([run.start, run.duration], [90_000, 14_400]);
});

test('a fragment that has not arrived wholly is waited for', () => {
  const whole = bytes(part({ start: 0, samples: [{ duration: 3600, size: 1000 }] }));
  const headBytes = whole.length - 1000 - 8;
  for (let n = 0; n < headBytes; n++) assert.equal(readRun(whole.slice(0, n)), null, `${n} bytes`);
  for (const n of [headBytes, headBytes + 500]) assert.equal(readRun(whole.slice(0, n)).samples.length, 1, `${n} bytes`);
});

test('durations and sizes that all samples share stand in front of them', () => {
  const traf = box('traf', box('tfhd', u32(0x02003a, 1, 1, 3000, 77, 0)), box('tfdt', u32(0, 500)), box('trun', u32(0x01000001, 2, 0)));
  const run = readRun(bytes(box('moof', box('mfhd', u32(0, 1)), traf)));
  assert.deepEqual(run.samples, [{ time: 500, duration: 3000, size: 77 }, { time: 3500, duration: 3000, size: 77 }]);
});

test('bytes that are no fragment are refused, and never read beyond', () => {
  const good = bytes(part({ start: 0, samples: [{ duration: 3600 }, { duration: 3600 }] }));
  assert.throws(() => readRun(Uint8Array.of(0, 0, 0, 4, 109, 111, 111, 102)), RangeError);
  assert.throws(() => readRun(bytes(box('moof', box('mfhd', u32(0, 1))))), RangeError);
  for (let at = 0; at < good.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const bad = good.slice();
      bad[at] = value;
      try {
        readRun(bad);
      } catch (error) {
        assert.ok(error instanceof RangeError, `byte ${at} is ${value}: ${error.stack}`);
      }
    }
  }
});

test('a track is taken out of a file with two', () => {
  const file = init({ delay: 7200, sound: { timescale: 16_000, channels: 2 } });
  const video = trackOf(file, 'vide');
  const sound = trackOf(file, 'soun');
  assert.deepEqual([video.id, video.timescale, video.delay], [1, 90_000, 7200]);
  assert.deepEqual([sound.id, sound.timescale, sound.channels, sound.delay], [2, 16_000, 2, 0]);
  for (const [track, has, lacks] of [[video, 'avc1', 'mp4a'], [sound, 'mp4a', 'avc1']]) {
    const text = Buffer.from(track.bytes).toString('latin1');
    assert.ok(text.includes(has) && text.includes('ftyp') && !text.includes(lacks), has);
    assert.equal(text.split('trex').length, 2, 'one trex');
    assert.ok(!text.includes('edts'), 'what browsers may heed or not is gone');
    assert.deepEqual(trackOf(track.bytes, has === 'avc1' ? 'vide' : 'soun').bytes, track.bytes, 'its boxes have good sizes');
  }
  assert.equal(trackOf(init({ sound: null }), 'soun'), null);
});

test('the beginning of a file with a wrong byte is refused or read, nothing else', () => {
  const file = init({ delay: 7200 });
  for (let at = 0; at < file.length; at++) {
    for (const value of [0, 1, 0xff]) {
      const bad = file.slice();
      bad[at] = value;
      try {
        trackOf(bad, 'soun');
        trackOf(bad, 'vide');
      } catch (error) {
        assert.ok(error instanceof RangeError, `byte ${at} is ${value}: ${error.stack}`);
      }
    }
  }
});

test('a fragment that was made can be read', () => {
  const start = 2 ** 33 + 5;
  const samples = [{ bytes: Uint8Array.of(1, 2, 3), duration: 960 }, { bytes: Uint8Array.of(4), duration: 480 }];
  const made = makeFragment({ track: 2, start, samples });
  const run = readRun(made);
  assert.deepEqual(run.samples, [{ time: start, duration: 960, size: 3 }, { time: start + 960, duration: 480, size: 1 }]);
  assert.deepEqual([...made.subarray(run.mediaAt)], [1, 2, 3, 4]);
});

test('start codes become lengths, and nothing of the units is lost', () => {
  const annexB = Uint8Array.of(0, 0, 0, 1, 0x67, 1, 0, 0, 3, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0x65, 0, 0, 3);
  assert.deepEqual([...withLengths(annexB)], [0, 0, 0, 6, 0x67, 1, 0, 0, 3, 1, 0, 0, 0, 2, 0x68, 2, 0, 0, 0, 4, 0x65, 0, 0, 3]);
  assert.equal(withLengths(Uint8Array.of(1, 2, 3)).length, 0);
});
