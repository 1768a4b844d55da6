import { test } from 'node:test';
import assert from 'node:assert/strict';
import { EventParser, readEvents } from '../static/events.js';
import { utf8 } from '../static/encoding.js';

const text = ': hello\n\nevent: camera\r\ndata: {"a":\r\ndata: 1}\r\n\r\nid: 7\rdata\r\rdata:x\n\nignored: y\nevent: lost\n\n';
const want = [
  { type: 'camera', data: '{"a":\n1}', id: '' },
  { type: 'message', data: '', id: '7' },
  { type: 'message', data: 'x', id: '7' },
];

test('events are the same wherever the text is cut', () => {
  for (let cut = 0; cut <= text.length; cut++) {
    const parser = new EventParser();
    assert.deepEqual([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))], want, `cut at ${cut}`);
  }
  const parser = new EventParser();
  assert.deepEqual([...text].flatMap((char) => parser.push(char)), want);
});

test('an endless line and an endless event are refused', () => {
  assert.throws(() => new EventParser().push('x'.repeat(300_000)), RangeError);
  const parser = new EventParser();
  assert.throws(() => {
    for (let i = 0; i < 300; i++) parser.push(`data: ${'x'.repeat(1000)}\n`);
  }, RangeError);
});

test('a stream of bytes is read to its end and an unfinished event is dropped', async () => {
  const bytes = utf8('\uFEFFdata: ü\n\n: ping\n\ndata: half');
  const stream = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  let heard = 0;
  const events = [];
  for await (const event of readEvents(stream, () => (heard += 1))) events.push(event.data);
  assert.deepEqual(events, ['ü']);
  assert.ok(heard > 10);
});
