import { test } from 'node:test';
import assert from 'node:assert/strict';
import { measureClock } from '../static/clock.js';
import { describeStats } from '../static/player-stats.js';
import { summarize } from '../static/stats.js';

const entries = ({ frames = 0, bytes = 0, packets = 0, lost = 0, delay = 0, local = 'host', ssrc = 1 } = {}) => [
  { id: 'T', type: 'transport', selectedCandidatePairId: 'P', srtpCipher: 'AEAD_AES_128_GCM' },
  { id: 'P', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'R', currentRoundTripTime: 0.012, bytesReceived: bytes, responsesReceived: 3 },
  { id: 'L', type: 'local-candidate', candidateType: local, address: '192.0.2.1', port: 5000, protocol: 'udp' },
  { id: 'R', type: 'remote-candidate', candidateType: 'host', address: '2001:db8::1', port: 6000, protocol: 'udp' },
  { id: 'C', type: 'codec', mimeType: 'video/H264' },
  {
    id: 'I', type: 'inbound-rtp', kind: 'video', mid: '0', ssrc, codecId: 'C', bytesReceived: bytes, packetsReceived: packets, packetsLost: lost,
    framesDecoded: frames, framesDropped: 1, frameWidth: 1280, frameHeight: 720, jitterBufferDelay: delay, jitterBufferEmittedCount: frames,
  },
];

test('rates are differences between two samples', () => {
  const first = summarize(entries({ frames: 10, bytes: 1000, packets: 100, delay: 1 }), 1000, null);
  assert.equal(first.media.get('0').bitsPerSecond, null);
  const second = summarize(entries({ frames: 60, bytes: 251_000, packets: 199, lost: 1, delay: 2 }), 3000, first);
  const video = second.media.get('0');
  assert.deepEqual(
    [video.fps, video.bitsPerSecond, video.lossPercent, video.jitterBufferMs, video.codec, video.width],
    [25, 1_000_000, 1, 20, 'H264', 1280],
  );
  assert.ok(second.connection.activity > first.connection.activity);
});

test('a new stream in an old section starts from nothing', () => {
  const first = summarize(entries({ frames: 1000, bytes: 1e6 }), 0, null);
  const second = summarize(entries({ frames: 5, bytes: 500, ssrc: 2 }), 1000, first);
  assert.equal(second.media.get('0').fps, null);
});

test('a path is relayed when either end is a relay', () => {
  assert.equal(summarize(entries(), 0, null).connection.path, 'direct');
  assert.equal(summarize(entries({ local: 'relay' }), 0, null).connection.path, 'relayed');
  assert.equal(summarize([], 0, null).connection.path, 'unknown');
});

test('the panel has words and units', () => {
  const sample = summarize(entries({ frames: 60, bytes: 250_000 }), 1000, summarize(entries(), 0, null));
  const rows = Object.fromEntries(
    describeStats({
      connection: sample.connection, story: 'Direct: the agent has a public address.', video: sample.media.get('0'), audio: null,
      framesPresented: 0, latencyMs: [20], latencyMedianMs: 20.4, firstFrameMs: 80,
    }),
  );
  assert.equal(rows.Path, 'Direct');
  assert.equal(rows.Why, 'The agent has a public address.');
  assert.equal(rows.Agent, '[2001:db8::1]:6000 UDP, host');
  assert.equal(rows['Round trip'], '12.0 ms');
  assert.equal(rows['Glass to glass'], '20 ms');
  assert.equal(rows['Bit rate'], '2.00 Mbit/s');
  assert.equal(rows.Video, 'H264, 1280 × 720');
  const empty = { connection: null, story: '', video: null, audio: null, framesPresented: 0, latencyMs: [], latencyMedianMs: null, firstFrameMs: null };
  assert.deepEqual(describeStats(empty), [['Path', '–'], ['Round trip', '–']]);
});

test('of several requests for the time the quickest counts', async () => {
  let clock = 0;
  const trips = [40, 4, 100];
  const http = {
    async request() {
      const trip = trips.shift();
      clock += trip;
      // All of the way there, nothing back: the worst case for the estimate.
      return { ok: true, json: async () => ({ unixMs: clock + 5000 }) };
    },
  };
  const { offsetMs, roundTripMs } = await measureClock(http, { rounds: 3, now: () => clock });
  assert.equal(roundTripMs, 4);
  assert.equal(offsetMs, 5002);
});
