import { test } from 'node:test';
import assert from 'node:assert/strict';
import { crc8, readStamp } from '../static/stamp.js';

/** Draws a stamp as a decoder would show it. */
function draw(timeTicks, counter, { white = 235, black = 16, width = 640, height = 32 } = {}) {
  const bytes = new Uint8Array(10);
  new DataView(bytes.buffer).setUint16(0, Math.floor(timeTicks / 2 ** 32));
  new DataView(bytes.buffer).setUint32(2, timeTicks % 2 ** 32);
  bytes.set([counter >> 16, (counter >> 8) & 255, counter & 255], 6);
  bytes[9] = crc8(bytes.subarray(0, 9));
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 640; x++) {
      const bit = (y >> 4) * 40 + (x >> 4);
      const luma = (bytes[bit >> 3] >> (7 - (bit & 7))) & 1 ? white : black;
      data.fill(luma, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { data, width, height };
}

test('a stamp says when the picture was taken and which it is', () => {
  const ticks = 17_999_999_999_999;
  assert.deepEqual(readStamp(draw(ticks, 0xabcdef)), { timeMs: ticks / 10, counter: 0xabcdef });
  assert.deepEqual(readStamp(draw(ticks, 0, { width: 1280, height: 720 })), { timeMs: ticks / 10, counter: 0 });
  assert.deepEqual(readStamp(draw(ticks, 5, { white: 160, black: 90 })), { timeMs: ticks / 10, counter: 5 });
});

test('a picture without a stamp has none', () => {
  for (const luma of [0, 128, 255]) {
    assert.equal(readStamp({ data: new Uint8ClampedArray(640 * 32 * 4).fill(luma), width: 640, height: 32 }), null);
  }
  assert.equal(readStamp({ data: new Uint8ClampedArray(320 * 32 * 4), width: 320, height: 32 }), null);
});

test('a stamp with one cell wrong is none', () => {
  for (let bit = 0; bit < 80; bit++) {
    const image = draw(17_999_999_999_999, 77);
    const at = ((Math.floor(bit / 40) * 16 + 8) * 640 + (bit % 40) * 16 + 8) * 4;
    const flipped = image.data[at] > 128 ? 16 : 235;
    image.data.fill(flipped, at, at + 3);
    assert.equal(readStamp(image), null, `cell ${bit}`);
  }
});

test('the checksum is CRC-8 with polynomial 7 and initial value 255', () => {
  assert.equal(crc8(new TextEncoder().encode('123456789')), 0xfb);
  assert.equal(crc8(new Uint8Array()), 0xff);
});
