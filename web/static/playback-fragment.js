/**
 * Makes fragments of fragmented MP4 (ISO/IEC 14496-12): of one key frame, or of
 * silence.
 */

/** Of a sample that depends on no other (§8.8.3.1). */
const syncSample = 0x02000000;

/** Bits of tfhd (§8.8.7) and trun (§8.8.8). */
const tfhd = { flags: 0x20, baseIsMoof: 0x20000 };
const trun = { dataOffset: 0x1, duration: 0x100, size: 0x200 };

/**
 * @param {object} options
 * @param {number} options.track its number
 * @param {number} options.start decoding time of the first sample, in ticks of the track
 * @param {{ bytes: Uint8Array, duration: number }[]} options.samples each of which is decoded without the others; durations
 *   are whole ticks
 * @returns {import('./encoding.js').Bytes}
 */
export function makeFragment({ track, start, samples }) {
  const trunBytes = 20 + 8 * samples.length;
  const moofBytes = 8 + 16 + 8 + 20 + 20 + trunBytes;
  const mediaBytes = samples.reduce((size, sample) => size + sample.bytes.length, 0);
  const bytes = new Uint8Array(moofBytes + 8 + mediaBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const words = (/** @type {number[]} */ ...all) => {
    for (const word of all) {
      view.setUint32(at, word);
      at += 4;
    }
  };
  const box = (/** @type {string} */ type, /** @type {number} */ size, /** @type {number[]} */ ...content) => {
    for (let i = 0; i < 4; i++) bytes[at + 4 + i] = type.charCodeAt(i);
    words(size);
    at += 4;
    words(...content);
  };
  box('moof', moofBytes);
  box('mfhd', 16, 0, 1);
  box('traf', 8 + 20 + 20 + trunBytes);
  box('tfhd', 20, tfhd.baseIsMoof | tfhd.flags, track, syncSample);
  box('tfdt', 20, 0x01000000, Math.floor(start / 2 ** 32), start % 2 ** 32);
  box('trun', trunBytes, trun.dataOffset | trun.duration | trun.size, samples.length, moofBytes + 8);
  for (const sample of samples) words(sample.duration, sample.bytes.length);
  box('mdat', 8 + mediaBytes);
  for (const sample of samples) {
    bytes.set(sample.bytes, at);
    at += sample.bytes.length;
  }
  return bytes;
}

/**
 * Turns start codes (Annex B of ITU-T H.264 and H.265) into lengths of four
 * bytes, as MP4 has them.
 *
 * @param {import('./encoding.js').Bytes} data
 * @returns {import('./encoding.js').Bytes}
 */
export function withLengths(data) {
  const units = splitAnnexB(data);
  const out = new Uint8Array(units.reduce((size, unit) => size + 4 + unit.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const unit of units) {
    view.setUint32(at, unit.length);
    out.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return out;
}

/** @param {import('./encoding.js').Bytes} data @returns {import('./encoding.js').Bytes[]} NAL units */
function splitAnnexB(data) {
  const units = [];
  let start = -1;
  for (let i = data.indexOf(0); i >= 0 && i + 2 < data.length; i = data.indexOf(0, i + 1)) {
    if (data[i + 1] !== 0 || data[i + 2] !== 1) continue;
    // Zeros before a start code belong to it: no NAL unit ends with one.
    if (start >= 0) units.push(trimZeros(data.subarray(start, i)));
    start = i + 3;
    i = start - 1;
  }
  if (start >= 0) units.push(trimZeros(data.subarray(start)));
  return units.filter((unit) => unit.length > 0);
}

/** @param {import('./encoding.js').Bytes} unit @returns {import('./encoding.js').Bytes} */
function trimZeros(unit) {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end--;
  return unit.subarray(0, end);
}
