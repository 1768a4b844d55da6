import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Past } from '../static/past.js';

const now = 1_763_740_800_000;

/** A playback that does as it is told. */
function setUp({ live = true, events = [] } = {}) {
  const engines = [];
  const asked = [];
  const past = new Past({
    now: () => now,
    liveIsGood: () => live,
    events: async (range) => {
      asked.push(range);
      return events.map((fromMs) => ({ fromMs }));
    },
    engine: (onChange) => {
      const engine = {
        state: { phase: 'idle', wantsPlay: false, rate: 1, keyFramesOnly: false, gap: null, sound: false, growing: true, message: '' },
        positionMs: NaN, closed: 0, steps: [], seeks: [],
        set(change) {
          engine.state = { ...engine.state, ...change };
          onChange(engine.state);
        },
        seek(ms) {
          engine.set({ phase: 'buffering' });
          return new Promise((resolve) => engine.seeks.push({ ms, arrive: (change = {}) => {
            engine.positionMs = ms;
            engine.set({ phase: engine.state.wantsPlay ? 'playing' : 'paused', ...change });
            resolve();
          } }));
        },
        play: () => engine.set({ wantsPlay: true }),
        pause: () => engine.set({ wantsPlay: false }),
        get rate() { return engine.state.rate; },
        set rate(rate) { engine.set({ rate }); },
        step: async (direction) => Boolean(engine.steps.push(direction)),
        close: () => void (engine.closed += 1),
      };
      engines.push(engine);
      return engine;
    },
  });
  return { past, engines, asked, value: () => past.state.value };
}
const turns = async () => { for (let i = 0; i < 20; i++) await null; };

test('at first it is the present, and nothing is played', () => {
  const { past, engines, value } = setUp();
  assert.equal(value().live, true);
  assert.equal(past.positionMs, null);
  assert.equal(engines.length, 0);
});

test('the present stays on the screen until the picture of the past is there', async () => {
  const { past, engines, value } = setUp();
  const done = past.goTo(now - 60_000);
  assert.deepEqual([value().live, value().shown, past.positionMs], [false, false, now - 60_000]);
  engines[0].seeks[0].arrive();
  await done;
  assert.deepEqual([value().shown, value().playing, past.positionMs], [true, true, now - 60_000]);
  engines[0].positionMs += 40;
  assert.equal(past.positionMs, now - 60_000 + 40);
});

test('of two moments the later one that was asked for counts', async () => {
  const { past, engines, value } = setUp();
  void past.goTo(now - 60_000);
  const second = past.goTo(now - 30_000);
  engines[0].seeks[0].arrive();
  await turns();
  assert.equal(value().shown, false);
  assert.equal(past.positionMs, now - 30_000);
  engines[0].seeks[1].arrive();
  await second;
  assert.equal(value().shown, true);
});

test('going back to the present ends what is under way, and the engine with it', async () => {
  const { past, engines, value } = setUp();
  const done = past.goTo(now - 60_000);
  past.goLive();
  past.close();
  assert.deepEqual([value().live, value().rate, engines[0].closed], [true, 1, 1]);
  engines[0].seeks[0].arrive();
  await done;
  assert.deepEqual([value().live, value().shown], [true, false]);
});

test('at the end of the recording the present goes on, if there is one', async () => {
  for (const live of [true, false]) {
    const { past, engines, value } = setUp({ live });
    const done = past.goTo(now - 5_000);
    engines[0].seeks[0].arrive();
    await done;
    engines[0].set({ phase: 'ended' });
    assert.equal(value().live, live);
    assert.equal(value().ended, !live);
  }
});

test('who pauses at the end stays there', async () => {
  const { past, engines, value } = setUp();
  const done = past.goTo(now - 5_000, { play: false });
  engines[0].seeks[0].arrive({ phase: 'ended' });
  await done;
  assert.deepEqual([value().live, value().ended], [false, true]);
  await past.toggle();
  assert.equal(value().live, true);
});

test('pausing the present holds the moment', async () => {
  const { past, engines, value } = setUp();
  const done = past.toggle();
  assert.equal(engines[0].seeks[0].ms, now);
  engines[0].seeks[0].arrive();
  await done;
  assert.deepEqual([value().live, value().playing], [false, false]);
  await past.toggle();
  assert.equal(value().playing, true);
});

test('ten seconds back and on, from what was asked for last', async () => {
  const { past, engines, value } = setUp();
  void past.jump(-1);
  void past.jump(-1);
  assert.deepEqual(engines[0].seeks.map(({ ms }) => now - ms), [10_000, 20_000]);
  void past.jump(1);
  void past.jump(1);
  assert.equal(value().live, true, 'near the present is the present');
});

test('single pictures: from the present it is the one just before', async () => {
  const { past, engines } = setUp();
  await past.step(1);
  assert.equal(engines.length, 0, 'there is no picture after the present');
  const done = past.step(-1);
  for (let i = 0; i < 5; i++) void past.step(-1);
  engines[0].seeks[0].arrive();
  await done;
  assert.deepEqual(engines[0].steps, [-1, -1], 'one after the other, and one that waits');
  await past.step(1);
  assert.deepEqual(engines[0].steps, [-1, -1, 1]);
});

test('speeds are those of the engine, and the present has one', async () => {
  const { past, engines, value } = setUp();
  past.changeRate(1);
  assert.equal(value().rate, 1);
  void past.goTo(now - 60_000);
  for (let i = 0; i < 9; i++) past.changeRate(1);
  assert.equal(engines[0].rate, 16);
  past.setRate(3);
  assert.equal(value().rate, 16);
  for (let i = 0; i < 9; i++) past.changeRate(-1);
  assert.equal(value().rate, 0.25);
});

test('from event to event', async () => {
  const at = [now - 300_000, now - 200_000, now - 100_000];
  const { past, engines, asked } = setUp({ events: at });
  assert.equal(await past.goToEvent(-1), true);
  const last = () => engines[0].seeks.at(-1);
  assert.equal(last().ms, at[2] - 2000);
  last().arrive();
  await turns();
  engines[0].positionMs = at[2] + 500;
  await past.goToEvent(-1);
  assert.equal(last().ms, at[1] - 2000, 'an event that has just begun is not gone back to');
  last().arrive();
  await turns();
  await past.goToEvent(1);
  assert.equal(last().ms, at[2] - 2000);
  last().arrive();
  await turns();
  assert.equal(await past.goToEvent(1), false);
  assert.ok(asked.every(({ fromMs, toMs }) => fromMs <= toMs), 'no range is the wrong way round');
});

test('something that went wrong is said, and can be tried again', async () => {
  const { past, engines, value } = setUp();
  const done = past.goTo(now - 60_000);
  engines[0].seeks[0].arrive({ phase: 'error', message: 'The disk is gone.' });
  await done;
  assert.deepEqual([value().message, value().shown], ['The disk is gone.', false]);
  void past.retry();
  assert.equal(value().message, '');
  assert.equal(engines[0].seeks[1].ms, now - 60_000);
});

test('waiting is said only when it takes long', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { past, engines, value } = setUp();
  const done = past.goTo(now - 60_000);
  t.mock.timers.tick(300);
  assert.equal(value().busy, false);
  t.mock.timers.tick(200);
  assert.equal(value().busy, true);
  engines[0].seeks[0].arrive();
  await done;
  assert.equal(value().busy, false);
});
