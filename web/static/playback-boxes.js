/**
 * The little of fragmented MP4 (ISO/IEC 14496-12) that playback has to read
 * itself: the times of the frames in a fragment, and one track of a file that may
 * have two.
 */

import { join } from './recordings.js';

/** Ticks of video in a second, in every recording. */
export const videoTimescale = 90_000;

/** Bits of tfhd (§8.8.7) and trun (§8.8.8). */
const tfhd = { baseOffset: 0x1, description: 0x2, duration: 0x8, size: 0x10 };
const trun = { dataOffset: 0x1, firstFlags: 0x4, duration: 0x100, size: 0x200, flags: 0x400, composition: 0x800 };

/** More samples than this are no fragment of ours. */
const maxSamples = 100_000;

/**
 * @typedef {object} Sample a frame of a fragment
 * @property {number} time when it is shown, in ticks
 * @property {number} duration from its decoding to the next one's, in ticks
 * @property {number} size in bytes
 *
 * @typedef {object} Run the frames of a fragment
 * @property {number} start decoding time of the first, in ticks
 * @property {number} duration of all together, in ticks
 * @property {Sample[]} samples in the order in which they are decoded, at least one
 * @property {number} mediaAt where the first one begins, in bytes
 */

/**
 * Reads what is in a fragment.
 *
 * @param {import('./encoding.js').Bytes} bytes from the start of a fragment's video, or of its sound
 * @returns {Run | null} null if the bytes end too early
 * @throws {RangeError} if these are no boxes of ours
 */
export function readRun(bytes) {
  const moof = arrived(bytes, 'moof');
  if (!moof) return null;
  const traf = inside(bytes, 'traf', moof);
  const decode = inside(bytes, 'tfdt', traf);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const large = view.getUint8(decode.from) === 1;
  const start = large ? Number(view.getBigUint64(decode.from + 4)) : view.getUint32(decode.from + 4);
  const run = inside(bytes, 'trun', traf);
  const flags = view.getUint32(run.from) & 0xffffff;
  if (!(flags & trun.dataOffset) || run.to - run.from < 12) throw new RangeError('a fragment does not say where its frames are');
  const samples = readSamples(view, run, start, defaultsOf(view, inside(bytes, 'tfhd', traf)));
  if (samples.length === 0) throw new RangeError('a fragment has no frame');
  const duration = samples.reduce((sum, sample) => sum + sample.duration, 0);
  return { start, duration, samples, mediaAt: moof.from - 8 + view.getInt32(run.from + 8) };
}

/** @param {DataView} view @param {Box} box @returns {{ duration: number, size: number }} of samples that have none of their own */
function defaultsOf(view, { from, to }) {
  const flags = view.getUint32(from) & 0xffffff;
  let at = from + 8 + (flags & tfhd.baseOffset ? 8 : 0) + (flags & tfhd.description ? 4 : 0);
  const next = (/** @type {number} */ bit) => {
    if (!(flags & bit)) return 0;
    if (at + 4 > to) throw new RangeError('the tfhd of a recording is too short');
    at += 4;
    return view.getUint32(at - 4);
  };
  return { duration: next(tfhd.duration), size: next(tfhd.size) };
}

/**
 * @param {DataView} view
 * @param {Box} box
 * @param {number} start decoding time of the first sample
 * @param {{ duration: number, size: number }} defaults
 * @returns {Sample[]}
 */
function readSamples(view, { from, to }, start, defaults) {
  const flags = view.getUint32(from) & 0xffffff;
  const count = view.getUint32(from + 4);
  let at = from + 8 + (flags & trun.dataOffset ? 4 : 0) + (flags & trun.firstFlags ? 4 : 0);
  const fields = [trun.duration, trun.size, trun.flags, trun.composition].filter((bit) => flags & bit).length;
  if (count > maxSamples || at + count * fields * 4 > to) throw new RangeError('a fragment has more samples than room for them');
  const signed = view.getUint8(from) === 1;
  const samples = [];
  let decode = start;
  const next = (/** @type {number} */ bit, /** @type {number} */ fallback) => {
    if (!(flags & bit)) return fallback;
    at += 4;
    return view.getUint32(at - 4);
  };
  for (let i = 0; i < count; i++) {
    const duration = next(trun.duration, defaults.duration);
    const size = next(trun.size, defaults.size);
    next(trun.flags, 0);
    const offset = next(trun.composition, 0);
    samples.push({ time: decode + (signed ? offset | 0 : offset), duration, size });
    decode += duration;
  }
  return samples;
}

/**
 * @typedef {object} Track the initialization segment of one track
 * @property {import('./encoding.js').Bytes} bytes
 * @property {number} id its number
 * @property {number} timescale ticks in a second
 * @property {number} channels of sound
 * @property {number} delay where on the track the presentation begins, in its ticks: an edit list, which browsers heed
 *   or do not, and which is left out here
 */

/**
 * Takes one track out of an initialization segment.
 *
 * @param {import('./encoding.js').Bytes} init
 * @param {'vide' | 'soun'} kind
 * @returns {Track | null} null if there is none
 * @throws {RangeError} if these are no boxes of ours
 */
export function trackOf(init, kind) {
  const moov = inside(init, 'moov', { from: 0, to: init.length });
  const trak = boxes(init, moov).find((box) => box.type === 'trak' && kindOf(init, box) === kind);
  if (!trak) return null;
  const view = new DataView(init.buffer, init.byteOffset, init.length);
  const id = trackId(view, inside(init, 'tkhd', trak));
  const mvex = boxes(init, inside(init, 'mvex', moov)).filter(({ type, from }) => type !== 'trex' || view.getUint32(from + 4) === id);
  const parts = boxes(init, moov).flatMap((box) => {
    if (box.type === 'trak') return box.from === trak.from ? [wrap('trak', copies(init, boxes(init, trak), 'edts'))] : [];
    return [box.type === 'mvex' ? wrap('mvex', copies(init, mvex)) : init.subarray(box.from - 8, box.to)];
  });
  const ftyp = boxes(init, { from: 0, to: init.length }).filter(({ type }) => type === 'ftyp');
  const mdia = inside(init, 'mdia', trak);
  const mdhd = inside(init, 'mdhd', mdia);
  return {
    bytes: join([...copies(init, ftyp), wrap('moov', parts)]),
    id,
    timescale: view.getUint32(mdhd.from + (view.getUint8(mdhd.from) === 1 ? 20 : 12)),
    channels: kind === 'soun' ? channelsOf(init, view, mdia) : 0,
    delay: delayOf(init, view, trak),
  };
}

/** @param {import('./encoding.js').Bytes} bytes @param {Box} trak @returns {string} */
function kindOf(bytes, trak) {
  const { from } = inside(bytes, 'hdlr', inside(bytes, 'mdia', trak));
  return fourCharacters(bytes, from + 8);
}

/** @param {DataView} view @param {Box} tkhd @returns {number} */
function trackId(view, { from }) {
  return view.getUint32(from + (view.getUint8(from) === 1 ? 20 : 12));
}

/** @param {import('./encoding.js').Bytes} bytes @param {DataView} view @param {Box} mdia @returns {number} */
function channelsOf(bytes, view, mdia) {
  const stsd = inside(bytes, 'stsd', inside(bytes, 'stbl', inside(bytes, 'minf', mdia)));
  // A sample entry of sound (§12.2.3) has its channels behind 24 bytes.
  if (stsd.to - stsd.from < 34) throw new RangeError('a recording does not describe its sound');
  return view.getUint16(stsd.from + 32);
}

/** @param {import('./encoding.js').Bytes} bytes @param {DataView} view @param {Box} trak @returns {number} */
function delayOf(bytes, view, trak) {
  const edts = boxes(bytes, trak).find(({ type }) => type === 'edts');
  if (!edts) return 0;
  const { from, to } = inside(bytes, 'elst', edts);
  const large = view.getUint8(from) === 1;
  if (view.getUint32(from + 4) !== 1 || to - from < (large ? 24 : 16)) throw new RangeError('an edit list of a recording is not ours');
  return large ? Number(view.getBigInt64(from + 16)) : view.getInt32(from + 12);
}

/**
 * @param {import('./encoding.js').Bytes} bytes
 * @param {(Box & { type: string })[]} some
 * @param {string} [without] a type that is left out
 * @returns {import('./encoding.js').Bytes[]} the boxes, headers and all
 */
function copies(bytes, some, without) {
  return some.filter(({ type }) => type !== without).map(({ from, to }) => bytes.subarray(from - 8, to));
}

/** @param {string} type @param {import('./encoding.js').Bytes[]} parts @returns {import('./encoding.js').Bytes} */
function wrap(type, parts) {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, 8 + parts.reduce((size, part) => size + part.length, 0));
  for (let i = 0; i < 4; i++) head[4 + i] = type.charCodeAt(i);
  return join([head, ...parts]);
}

/** @typedef {{ from: number, to: number }} Box what is inside a box */

/**
 * Finds a box that may not be there yet.
 *
 * @param {Uint8Array} bytes that may end early
 * @param {string} type
 * @returns {Box | null}
 */
function arrived(bytes, type) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at);
    if (size < 8) throw new RangeError('a box of a recording has no good size');
    if (fourCharacters(bytes, at + 4) === type) return at + size > bytes.length ? null : { from: at + 8, to: at + size };
    at += size;
  }
  return null;
}

/**
 * @param {Uint8Array} bytes
 * @param {Box} box
 * @returns {(Box & { type: string })[]} what is directly in it
 */
function boxes(bytes, { from, to }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = [];
  for (let at = from; at < to; ) {
    const size = at + 8 <= to ? view.getUint32(at) : 0;
    if (size < 8 || at + size > to) throw new RangeError('a box of a recording has no good size');
    found.push({ type: fourCharacters(bytes, at + 4), from: at + 8, to: at + size });
    at += size;
  }
  return found;
}

/** @param {Uint8Array} bytes @param {string} type @param {Box} box @returns {Box} the first box of a type in another */
function inside(bytes, type, box) {
  const found = boxes(bytes, box).find((each) => each.type === type);
  if (!found) throw new RangeError(`a recording has no ${type}`);
  if (found.to - found.from < 8) throw new RangeError(`the ${type} of a recording is too short`);
  return found;
}

/** @param {Uint8Array} bytes @param {number} at */
function fourCharacters(bytes, at) {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
