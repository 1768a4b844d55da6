import { test } from 'node:test';
import assert from 'node:assert/strict';
import { keyAction } from '../static/timeline-keys.js';

const press = (key, more = {}) => keyAction({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more }, 6_000);

test('arrows go by what can be seen, with Shift and by pages farther', () => {
  assert.deepEqual(press('ArrowRight'), { do: 'by', ms: 60_000 });
  assert.deepEqual(press('ArrowDown'), { do: 'by', ms: -60_000 });
  assert.deepEqual(press('ArrowLeft', { shiftKey: true }), { do: 'by', ms: -600_000 });
  assert.deepEqual(press('PageUp'), { do: 'by', ms: 600_000 });
});

test('the other keys of a slider, and what they leave to the browser', () => {
  assert.deepEqual(press('Home'), { do: 'first' });
  assert.deepEqual(press('End'), { do: 'live' });
  assert.deepEqual(press('+'), { do: 'zoom', factor: 0.5 });
  assert.deepEqual(press('-'), { do: 'zoom', factor: 2 });
  assert.equal(press('-', { ctrlKey: true }), null);
  assert.equal(press('m'), null);
});
