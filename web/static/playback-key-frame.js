/**
 * Makes fragments of fragmented MP4 (ISO/IEC 14496-12) that have one key frame.
 */

/** Of a sample that depends on no other (§8.8.3.1). */
const syncSample = 0x02000000;

/** Bits of tfhd (§8.8.7) and trun (§8.8.8). */
const tfhd = { baseIsMoof: 0x20000 };
const trun = { dataOffset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200 };

/** The number of the video's track in every recording. */
const videoTrack = 1;

/**
 * Makes a fragment at time 0 that shows one key frame.
 *
 * @param {import('./encoding.js').Bytes} sample the frame with lengths of four bytes before its NAL units
 * @param {number} duration in ticks
 * @returns {import('./encoding.js').Bytes}
 */
export function keyFragment(sample, duration) {
  const moofBytes = 8 + 16 + 8 + 16 + 20 + 32;
  const bytes = new Uint8Array(moofBytes + 8 + sample.length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  /** @param {string} type @param {number} size @param {number[]} words */
  const box = (type, size, ...words) => {
    view.setUint32(at, size);
    for (let i = 0; i < 4; i++) bytes[at + 4 + i] = type.charCodeAt(i);
    at += 8;
    for (const word of words) {
      view.setUint32(at, word);
      at += 4;
    }
  };
  box('moof', moofBytes);
  box('mfhd', 16, 0, 1);
  box('traf', moofBytes - 24);
  box('tfhd', 16, tfhd.baseIsMoof, videoTrack);
  box('tfdt', 20, 0x01000000, 0, 0);
  const flags = trun.dataOffset | trun.firstFlags | trun.duration | trun.size;
  box('trun', 32, flags, 1, moofBytes + 8, syncSample, Math.max(1, Math.round(duration)), sample.length);
  box('mdat', 8 + sample.length);
  bytes.set(sample, at);
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
