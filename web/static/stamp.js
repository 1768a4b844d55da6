/**
 * Reads the time stamp that a test picture carries in its top left corner:
 * two rows of 40 square cells of 16 pixels, white for one and black for zero,
 * most significant bit first. 48 bits of capture time in units of 100 µs since
 * 1970, a 24-bit frame counter, and a CRC-8 over both.
 */

/** Size of the stamp in pixels of the picture. */
export const stampWidth = 640;
export const stampHeight = 32;

const cell = 16;
const columns = 40;

/**
 * @typedef {object} Stamp
 * @property {number} timeMs capture time, milliseconds since 1970
 * @property {number} counter frame counter modulo 2^24
 */

/**
 * @param {{ data: ArrayLike<number>, width: number, height: number }} image RGBA, at least the stamp's size
 * @returns {Stamp | null} null where there is no stamp or the picture spoils it
 */
export function readStamp({ data, width, height }) {
  if (width < stampWidth || height < stampHeight) return null;
  const bytes = new Uint8Array(10);
  for (let bit = 0; bit < 80; bit++) {
    const x = (bit % columns) * cell + cell / 2;
    const y = Math.floor(bit / columns) * cell + cell / 2;
    const at = (y * width + x) * 4;
    const luma = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    if (luma >= 128) bytes[bit >> 3] |= 0x80 >> (bit & 7);
  }
  if (crc8(bytes.subarray(0, 9)) !== bytes[9]) return null;
  let ticks = 0;
  for (const byte of bytes.subarray(0, 6)) ticks = ticks * 256 + byte;
  return { timeMs: ticks / 10, counter: (bytes[6] << 16) | (bytes[7] << 8) | bytes[8] };
}

/** @param {Uint8Array} bytes @returns {number} CRC-8, polynomial 0x07, initial value 0xFF */
export function crc8(bytes) {
  let crc = 0xff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : (crc << 1) & 0xff;
  }
  return crc;
}
