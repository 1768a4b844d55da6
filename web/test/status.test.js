import { test } from 'node:test';
import assert from 'node:assert/strict';
import { clockTime, describe, describeClaim } from '../static/status.js';

const now = new Date(2026, 10, 20, 14, 0);
const camera = {
  id: 'front', name: 'Front door', state: 'live', since: new Date(2026, 10, 20, 12, 3).toISOString(), reason: '', warning: '',
  codec: 'H.264', width: 1280, height: 720, audio: '', testPattern: false,
};
const connected = { phase: 'connected', shaky: false, problem: null, cameras: [camera], refused: {} };
const platform = { canPlay: (codec) => codec !== 'H.265', now };
const running = { seen: true, moving: true };
const state = (publisher, picture = running, id = 'front') => describe({ ...connected, ...publisher }, id, picture, platform).state;
const withCamera = (change) => ({ cameras: [{ ...camera, ...change }] });

test('a moving picture is live', () => {
  assert.equal(state({}), 'live');
  assert.equal(state({ cameras: null }, running, ''), 'live');
});

test('a camera that is off says since when and why', () => {
  const status = describe({ ...connected, ...withCamera({ state: 'offline', reason: 'Wrong password.' }) }, 'front', running, platform);
  assert.deepEqual(status, { state: 'offline', title: 'Camera offline since 12:03, retrying', detail: 'Wrong password.' });
});

test('every way to fail has a state of its own', () => {
  const failed = (code) => state({ phase: 'waiting', problem: { code, message: 'x' } });
  assert.deepEqual(
    ['forbidden', 'unreachable', 'no-answer', 'no-signaling', 'no-route', 'no_camera', 'busy', 'internal', 'constructor'].map(failed),
    ['forbidden', 'unreachable', 'unreachable', 'no-signaling', 'no-route', 'no-camera', 'error', 'error', 'error'],
  );
});

test('the last problem stays on the screen while the next attempt runs', () => {
  assert.equal(state({ phase: 'connecting', problem: { code: 'forbidden', message: '' } }), 'forbidden');
  assert.equal(state({ phase: 'connecting' }), 'connecting');
});

test('what this browser cannot play is said even while the camera is off', () => {
  assert.equal(state(withCamera({ codec: 'H.265' })), 'unsupported');
});

test('before and after the picture there are words too', () => {
  assert.equal(state({}, { seen: false, moving: false }), 'connecting');
  assert.equal(state(withCamera({ state: 'connecting' })), 'connecting');
  assert.equal(state({}, { seen: true, moving: false }), 'stalled');
  assert.equal(state({ refused: { front: 'No.' } }), 'error');
  assert.equal(state({}, running, 'gone'), 'no-camera');
});

test('a session that is shaky shows its picture as long as there is one', () => {
  const problem = { code: 'unreachable', message: '' };
  assert.equal(state({ shaky: true, problem }), 'live');
  assert.equal(state({ shaky: true, problem }, { seen: true, moving: false }), 'stalled');
});

test('a time of another day has its day', () => {
  assert.equal(clockTime(new Date(2026, 10, 19, 23, 59).toISOString(), now), '19 Nov, 23:59');
  assert.equal(clockTime('nonsense', now), 'a while ago');
});

test('a browser that was let in before is told what may have happened', () => {
  const refused = { ...connected, phase: 'waiting', problem: { code: 'forbidden', message: '' } };
  const stranger = describe(refused, 'front', running, platform);
  const known = describe(refused, 'front', running, { ...platform, known: true });
  assert.equal(stranger.title, 'This browser has no access');
  assert.equal(known.state, 'forbidden');
  assert.match(known.detail, /not the one that was paired: clearing site data/);
  const away = describe({ ...refused, problem: { code: 'unreachable', message: '' } }, 'front', running, { ...platform, known: true });
  assert.equal(away.state, 'unreachable');
});

test('a link that gave no access says why, and whether to try it again', () => {
  const say = (code, kind = 'invite') => describeClaim({ code, message: 'the agent says so' }, kind);
  const known = ['expired', 'used', 'wrong_proof', 'locked', 'pairing_closed', 'unreachable', 'no-signaling'];
  const codes = [...known, 'internal', 'toString'];
  assert.equal(new Set(known.map((code) => say(code).title)).size, known.length, 'each has words of its own');
  assert.deepEqual(codes.filter((code) => say(code).retry), ['locked', 'unreachable', 'no-signaling', 'internal', 'toString']);
  assert.equal(say('internal').detail, 'The agent says so.');
});

test('whoever pairs is told what to run, whoever is invited whom to ask', () => {
  for (const code of ['expired', 'wrong_proof', 'pairing_closed']) {
    assert.match(describeClaim({ code, message: '' }, 'pair').detail, /sightline pair/);
    assert.match(describeClaim({ code, message: '' }, 'invite').detail, /[Aa]sk whoever invited you/);
  }
  assert.match(describeClaim({ code: 'used', message: '' }, 'pair').detail, /pair --reset/);
});

test('an agent that is not reached has not used up the link', () => {
  const { detail } = describeClaim({ code: 'unreachable', message: '' }, 'pair');
  assert.match(detail, /The link is not used up\.$/);
  assert.doesNotMatch(detail, /Trying again/);
});
