import { test } from 'node:test';
import assert from 'node:assert/strict';
import { NoSessionError, Recordings } from '../static/recordings.js';

function setUp(answer = {}) {
  const asked = [];
  const http = {
    async request(path, { method, headers, body } = {}) {
      asked.push([method, path, headers?.Range, body].filter((each) => each !== undefined).join(' '));
      const { status = 200, headers: fields = {}, json = {}, data = '' } = answer;
      const response = new Response(status === 204 ? null : data || JSON.stringify(json), { status, headers: fields });
      return { ok: response.ok, status, headers: new Map(Object.entries(fields)), body: response.body, json: () => response.json(), text: () => response.text() };
    },
  };
  return { asked, recordings: new Recordings(() => http) };
}

test('requests are those of the recorder’s interface, in whole milliseconds', async () => {
  const { asked, recordings } = setUp({ json: { segments: [], days: [], events: [], keyFramesMs: [], id: 'x' } });
  await recordings.overview();
  await recordings.days('front door', { zone: 'Europe/Berlin', from: '2026-11-01', to: '2026-11-30' });
  await recordings.timeline('front', { fromMs: 1.9, toMs: 5.5, resolutionMs: 2.2, rendition: 'sub' });
  await recordings.segments('front', { fromMs: 1000.7, toMs: 2000 });
  await recordings.keyFrameTimes('front', { fromMs: 0, toMs: 10, max: 5 });
  await recordings.events('front', { fromMs: 0, toMs: 10, limit: 3, type: 'door' });
  await recordings.lock('front', { fromMs: 1.5, toMs: 2.5, name: 'Proof' });
  await recordings.unlock('front', 'a/b');
  await recordings.pause('front', { untilMs: 0 });
  await recordings.resume('front');
  await recordings.export('front', { fromMs: 1.5, toMs: 2.5, sound: false, keepGaps: true, method: 'HEAD' });
  assert.deepEqual(asked, [
    'GET /v1/recordings',
    'GET /v1/recordings/front%20door/days?zone=Europe%2FBerlin&from=2026-11-01&to=2026-11-30',
    'GET /v1/recordings/front/timeline?from=1&to=5&rendition=sub&resolution=2',
    'GET /v1/recordings/front/segments?from=1000&to=2000',
    'GET /v1/recordings/front/keyframes?from=0&to=10&max=5',
    'GET /v1/recordings/front/events?from=0&to=10&limit=3&type=door',
    'POST /v1/recordings/front/locks {"fromMs":1,"toMs":3,"name":"Proof"}',
    'DELETE /v1/recordings/front/locks/a%2Fb',
    'PUT /v1/recordings/front/pause {"untilMs":0}',
    'DELETE /v1/recordings/front/pause',
    'HEAD /v1/recordings/front/export.mp4?from=1&to=3&sound=0&gaps=keep',
  ]);
});

test('fragments come as rows and are read as objects', async () => {
  const json = { segments: [{ id: 'main.1', startUs: 1, fragments: [[1, 2, 3, 4, 5, 6, 1], [2, 2, 3, 4, 5, 6, 0]] }], more: true };
  const { segments, more } = await setUp({ json }).recordings.segments('front', { fromMs: 0, toMs: 1 });
  assert.equal(more, true);
  assert.deepEqual(segments[0].fragments[0], { startUs: 1, durationUs: 2, mediaStart: 3, offset: 4, bytes: 5, videoBytes: 6, key: true });
  assert.equal(segments[0].fragments[1].key, false);
});

test('bytes are exactly those that were asked for', async () => {
  const good = setUp({ status: 206, headers: { 'content-range': 'bytes 10-12/100' }, data: 'abc' });
  const stream = await good.recordings.bytes('front', 'main.1', { from: 10, to: 13 });
  assert.equal(await new Response(stream).text(), 'abc');
  assert.deepEqual(good.asked, ['GET /v1/recordings/front/segments/main.1 bytes=10-12']);
  for (const headers of [{}, { 'content-range': 'bytes 10-11/100' }, { 'content-range': 'bytes 0-12/13' }]) {
    const { recordings } = setUp({ status: 206, headers, data: 'abc' });
    await assert.rejects(recordings.bytes('front', 'main.1', { from: 10, to: 13 }), { code: 'no_range' });
  }
});

test('a key frame brings its time and size', async () => {
  const headers = { 'sightline-time-ms': '1763740800000', 'sightline-codec': 'avc1.42e01f', 'sightline-width': '640', 'sightline-height': '360' };
  const { data, ...rest } = await setUp({ headers, data: 'xyz' }).recordings.keyFrame('front', { atMs: 1_763_740_800_900.4 });
  assert.deepEqual(rest, { timeMs: 1_763_740_800_000, codec: 'avc1.42e01f', width: 640, height: 360 });
  assert.equal(data.length, 3);
});

test('a download goes on where it broke off, if it is still the same', async () => {
  const { asked, recordings } = setUp({ status: 206 });
  await recordings.export('front', { fromMs: 1, toMs: 2, offset: 100, tag: '"x"' });
  assert.deepEqual(asked, ['GET /v1/recordings/front/export.mp4?from=1&to=2 bytes=100-']);
});

test('without a session nothing is asked', async () => {
  const recordings = new Recordings(() => null);
  await assert.rejects(recordings.overview(), NoSessionError);
  await assert.rejects(async () => recordings.export('front', { fromMs: 0, toMs: 1 }), NoSessionError);
});

test('a refusal is a sentence of the recorder', async () => {
  const json = { error: { code: 'forbidden', message: 'You may not see recordings of this camera.' } };
  await assert.rejects(setUp({ status: 403, json }).recordings.overview(), { name: 'ApiError', code: 'forbidden', message: /may not see/ });
});
