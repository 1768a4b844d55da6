import { once } from 'node:events';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { ApiError } from '../static/api.js';
import { Download } from '../static/download.js';
import { WorkerSaver } from '../static/download-savers.js';
import { HttpError } from '../static/http1.js';
import { NoSessionError } from '../static/recordings.js';
import { loadWorker } from './fake-worker.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const data = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);

/** @param {((offset: number) => any)[]} troubles of the requests, in order: an error, or after how many bytes it breaks off */
function setUp(troubles = [], { saver, fields: more = {} } = {}) {
  const asked = [];
  const saved = { parts: [], done: false, aborted: '', size: 0 };
  const cancelled = new AbortController();
  const keep = {
    write: async (bytes) => void (saved.parts.push(bytes), (saved.size += bytes.length)),
    finish: async () => void (saved.done = true),
    abort: (reason) => (saved.aborted = reason),
    cancelled: cancelled.signal,
  };
  const recordings = {
    async export(_, { offset, tag, signal }) {
      signal.throwIfAborted();
      asked.push([offset, tag]);
      const trouble = troubles.shift();
      if (trouble instanceof Error) throw trouble;
      const end = typeof trouble === 'number' ? offset + trouble : data.length;
      let at = offset;
      const body = new ReadableStream({
        pull(controller) {
          const next = Math.min(at + 100_000, end);
          if (next > at) controller.enqueue(data.slice(at, next));
          else if (end < data.length) controller.error(new HttpError('cut'));
          else controller.close();
          at = next;
        },
      }, { highWaterMark: 0 });
      const fields = { 'content-length': String(data.length - offset), etag: '"x"', 'content-disposition': 'attachment; filename="front.mp4"', ...more };
      if (offset > 0 && trouble !== 'changed') fields['content-range'] = `bytes ${offset}-${data.length - 1}/${data.length}`;
      return { status: offset ? 206 : 200, headers: new Map(Object.entries(fields)), body };
    },
  };
  const heads = [];
  const progress = [];
  const download = new Download({
    recordings, camera: 'front', range: { fromMs: 0, toMs: 1000 },
    onProgress: ({ phase }) => progress.at(-1) !== phase && progress.push(phase),
    findSaver: async (head) => (heads.push(head), saver === undefined ? keep : saver),
  });
  return { download, asked, saved, progress, heads, cancelled };
}

const same = (parts) => assert.ok(Buffer.concat(parts).equals(Buffer.from(data)), 'every byte, once');

test('a file is saved as it comes', async () => {
  const { download, saved, progress, heads } = setUp();
  assert.deepEqual(await download.start(), { phase: 'done', bytes: data.length, totalBytes: data.length, message: '' });
  same(saved.parts);
  assert.equal(saved.done, true);
  assert.deepEqual([heads[0].name, heads[0].size], ['front.mp4', data.length]);
  assert.deepEqual(progress, ['running', 'done']);
});

test('whatever the recorder calls it, the file is a video with a harmless name', async () => {
  for (const [given, want] of [
    ['front_20261121T120001Z_20261121T120101Z.mp4', 'front_20261121T120001Z_20261121T120101Z.mp4'],
    ['report.pdf.exe', 'report_pdf_exe.mp4'], ['a.html', 'a_html.mp4'], ['../../.bashrc', 'bashrc.mp4'], ['C:\\\\x.mp4', 'C_x.mp4'],
    ['\u202e4pm.exe', '4pm_exe.mp4'], ['CON.mp4', 'recording.mp4'], ['.mp4', 'recording.mp4'], ['', 'recording.mp4'],
    ['--help', 'help.mp4'], ['x'.repeat(300), `${'x'.repeat(100)}.mp4`],
  ]) {
    const fields = { 'content-disposition': `attachment; filename="${given}"`, 'content-type': 'text/html' };
    const { download, heads } = setUp([], { fields });
    await download.start();
    assert.deepEqual([heads[0].name, heads[0].type], [want, 'video/mp4'], given);
  }
  const { download, heads } = setUp([], { fields: { 'content-disposition': 'inline' } });
  await download.start();
  assert.equal(heads[0].name, 'recording.mp4');
});

test('it goes on after an interruption, with the same file or not at all', async () => {
  const good = setUp([1_000_050, new NoSessionError(), 500_000]);
  assert.equal((await good.download.start()).phase, 'done');
  same(good.saved.parts);
  assert.deepEqual(good.asked.map(([offset]) => offset), [0, 1_000_050, 1_000_050, 1_500_050]);
  assert.deepEqual(good.asked[1], [1_000_050, '"x"']);
  assert.ok(good.progress.includes('waiting'));

  const bad = setUp([1_000_000, 'changed']);
  const { phase, message } = await bad.download.start();
  assert.deepEqual([phase, bad.saved.aborted, bad.saved.done], ['failed', 'failed', false]);
  assert.match(message, /changed/);
});

test('a refusal ends it with the recorder’s sentence', async () => {
  const { download, asked } = setUp([new ApiError(404, 'not_found', 'Nothing was recorded in that time.')]);
  assert.deepEqual(await download.start(), { phase: 'failed', bytes: 0, totalBytes: 0, message: 'Nothing was recorded in that time.' });
  assert.equal(asked.length, 1);
});

test('it is cancelled in the page and in the browser’s list of downloads', async () => {
  const page = setUp();
  const running = page.download.start();
  setTimeout(() => page.download.cancel(), 5);
  page.saved.parts.push = function (part) {
    page.download.cancel();
    return Array.prototype.push.call(this, part);
  };
  assert.equal((await running).phase, 'cancelled');
  assert.deepEqual([page.saved.aborted, page.saved.done], ['cancelled', false]);

  const browser = setUp();
  browser.cancelled.abort();
  assert.equal((await browser.download.start()).phase, 'cancelled');
});

test('a browser that fetches the file by itself is left to do so', async () => {
  const { download } = setUp([], { saver: null });
  assert.equal((await download.start()).phase, 'done');
});

test('the service worker hands the bytes to the browser, no faster than they are saved', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] }); // the worker answers, however long it takes
  const worker = loadWorker();
  let href = '';
  globalThis.document = { createElement: () => ({ click() { href = this.href; } }) };
  t.after(() => delete globalThis.document);
  const saver = await WorkerSaver.open(worker, { name: 'füße.mp4', type: 'video/mp4', size: data.length });
  assert.match(href, /^\/download\/[0-9a-f-]{36}\/f%C3%BC%C3%9Fe\.mp4$/);
  const response = await worker.fetch(href);
  assert.equal(response.headers.get('content-disposition'), "attachment; filename*=UTF-8''f%C3%BC%C3%9Fe.mp4");
  assert.equal(response.headers.get('content-length'), String(data.length));
  assert.equal(await worker.fetch(href), undefined, 'an address is good once');

  let written = 0;
  const writing = (async () => {
    for (let at = 0; at < data.length; at += 50_000) {
      await saver.write(data.slice(at, at + 50_000));
      written = at + 50_000;
    }
    await saver.finish();
  })();
  for (let i = 0; i < 1000; i++) await turn();
  assert.ok(written <= 6 * 300_000, `${written} bytes are under way though nobody reads`);
  const got = Buffer.from(await response.arrayBuffer());
  await writing;
  assert.ok(got.equals(Buffer.from(data)));
});

test('a download that is stopped in the browser or by the page ends on both sides', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const worker = loadWorker();
  let href = '';
  globalThis.document = { createElement: () => ({ click() { href = this.href; } }) };
  t.after(() => delete globalThis.document);
  const head = { name: 'a.mp4', type: 'video/mp4', size: 10 };
  const first = await WorkerSaver.open(worker, head);
  await (await worker.fetch(href)).body.cancel();
  if (!first.cancelled.aborted) await once(first.cancelled, 'abort');
  await assert.rejects(first.write(new Uint8Array(300_000)));
  first.abort('cancelled');

  const second = await WorkerSaver.open(worker, head);
  const response = await worker.fetch(href);
  second.abort('failed');
  await assert.rejects(response.arrayBuffer());
});

test('a worker that knows nothing of downloads is left alone', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const opening = WorkerSaver.open({ postMessage() {} }, { name: 'a', type: 'b', size: 1 });
  t.mock.timers.tick(2_000);
  assert.equal(await opening, null);
});
