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

test('times are those of the recorder’s clock, which does not tremble', async () => {
  let ahead = 3_600_000;
  const { library, state, session, until } = setUp((count) => {
    if (count > 1) ahead = 3_600_010;
    return overview(ahead, [{ ...camera, name: String(count) }]);
  });
  library.start();
  state.set({ http: session() });
  await until(({ phase }) => phase === 'ready');
  const offset = library.nowMs() - Date.now();
  assert.ok(Math.abs(offset - 3_600_000) < 60, String(offset));
  await until(({ cameras }) => Number(cameras[0].name) > 3);
  assert.ok(Math.abs(library.nowMs() - Date.now() - offset) < 3);
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
