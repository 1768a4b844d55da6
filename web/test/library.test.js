import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Library } from '../static/library.js';
import { Store } from '../static/store.js';

/** A publisher whose sessions answer with what answer gives. */
function setUp(answer) {
  const asked = [];
  const session = () => ({
    request: async (path) => {
      asked.push(path);
      const { status = 200, body = {} } = await answer(asked.length);
      return { status, ok: status < 300, headers: new Headers(), json: async () => body };
    },
  });
  const state = new Store({ http: null });
  const library = new Library({ state }, { every: 5 });
  const until = (condition) =>
    new Promise((resolve) => {
      const end = library.state.watch(() => condition(library.state.value) && (resolve(), queueMicrotask(() => end())));
    });
  return { library, state, session, asked, until };
}
const camera = { id: 'front', name: 'Front door', recording: true, paused: false, pausedUntilMs: 0, reason: '', origin: '', streams: [] };
const overview = (ahead = 0, cameras = [camera]) => ({ body: { unixMs: Date.now() + ahead, cameras, disks: [] } });

test('it asks when there is a session, and follows the recorder', async () => {
  let paused = false;
  const { library, state, session, until } = setUp(() => overview(0, [{ ...camera, paused }]));
  library.start();
  assert.equal(library.state.value.phase, 'unknown');
  state.set({ http: session() });
  await until(({ phase }) => phase === 'ready');
  assert.equal(library.camera('front').name, 'Front door');
  assert.equal(library.camera('back'), null);
  paused = true;
  await until(({ cameras }) => cameras[0]?.paused);
  library.stop();
});

test('a publisher without recordings is asked once a session, and nothing appears', async () => {
  const { library, state, session, asked, until } = setUp(() => ({ status: 404 }));
  library.start();
  state.set({ http: session() });
  await until(({ phase }) => phase === 'none');
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(asked.length, 1);
  state.set({ http: session() });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(asked.length, 2);
  library.stop();
});

test('who may not see recordings is told so', async () => {
  const { library, state, session, until } = setUp(() => ({ status: 403 }));
  library.start();
  state.set({ http: session() });
  await until(({ phase }) => phase === 'refused');
  library.stop();
});

test('while there is no session, what was known stays', async () => {
  const { library, state, session, asked, until } = setUp(() => overview());
  library.start();
  state.set({ http: session() });
  await until(({ phase }) => phase === 'ready');
  state.set({ http: null });
  const count = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(asked.length <= count + 1);
  assert.equal(library.state.value.phase, 'ready');
  await assert.rejects(library.recordings.overview(), { name: 'NoSessionError' });
  library.stop();
});

test('times are those of the recorder’s clock, which does not tremble', async (t) => {
  let wall = 1000; // ms; each request takes 40
  t.mock.method(performance, 'now', () => wall);
  const { library, state, session, until } = setUp((count) => {
    wall += 20;
    const unixMs = performance.timeOrigin + wall + 3_600_000 + (count > 1 ? 10 : 0);
    wall += 20;
    return { body: { unixMs, cameras: [{ ...camera, name: String(count) }], disks: [] } };
  });
  library.start();
  state.set({ http: session() });
  await until(({ phase }) => phase === 'ready');
  const offset = () => library.nowMs() - performance.timeOrigin - wall;
  assert.ok(Math.abs(offset() - 3_600_000) < 0.01, String(offset()));
  await until(({ cameras }) => Number(cameras[0].name) > 3);
  assert.ok(Math.abs(offset() - 3_600_000) < 0.01, String(offset()));
  library.stop();
});

test('after it is stopped it asks for nothing', async () => {
  const { library, state, session, asked, until } = setUp(() => overview());
  library.start();
  state.set({ http: session() });
  await until(({ phase }) => phase === 'ready');
  library.stop();
  library.stop();
  const count = asked.length;
  state.set({ http: session() });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(asked.length, count);
});
