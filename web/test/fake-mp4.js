/**
 * Writes small recordings for tests: boxes of MP4 (ISO/IEC 14496-12).
 */
const u8 = (...n) => Buffer.from(n);
export const u16 = (n) => Buffer.from([n >> 8, n & 255]);
export const u32 = (...all) => Buffer.concat(all.map((n) => (n = n >>> 0, u8(n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255))));

export function box(type, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, 'latin1'), body]);
}

/** Bytes over a buffer of their own, as they come from the network. */
export const bytes = (...parts) => new Uint8Array(Buffer.concat(parts));

function trak({ id, kind, timescale, delay = 0, channels = 1 }) {
  const entry = kind === 'soun' ? box('mp4a', Buffer.alloc(16), u16(channels), Buffer.alloc(10)) : box('avc1', Buffer.alloc(78));
  const edts = delay ? [box('edts', box('elst', u32(0, 1, 0, delay, 0x10000)))] : [];
  return box(
    'trak',
    box('tkhd', u32(0, 0, 0, id, 0), Buffer.alloc(60)),
    ...edts,
    box(
      'mdia',
      box('mdhd', u32(0, 0, 0, timescale, 0), u32(0)),
      box('hdlr', u32(0, 0), Buffer.from(kind), Buffer.alloc(13)),
      box('minf', box('stbl', box('stsd', u32(0, 1), entry))),
    ),
  );
}

const trex = (id) => box('trex', u32(0, id, 1, 0, 0, 0));

/** An initialization segment with video and, unless timescale is 0, sound. */
export function init({ delay = 0, sound = { timescale: 48_000, channels: 1 } } = {}) {
  const tracks = [trak({ id: 1, kind: 'vide', timescale: 90_000, delay })];
  if (sound) tracks.push(trak({ id: 2, kind: 'soun', ...sound }));
  return bytes(
    box('ftyp', Buffer.from('iso6')),
    box('uuid', Buffer.alloc(16)),
    box('moov', box('mvhd', Buffer.alloc(100)), ...tracks, box('mvex', trex(1), ...(sound ? [trex(2)] : []))),
  );
}

/**
 * One moof with its mdat, after something that is to be skipped.
 *
 * @param {{ track?: number, start: number, samples: { duration: number, size?: number, offset?: number, data?: Buffer }[] }} options
 */
export function part({ track = 1, start, samples }) {
  const media = samples.map(({ size = 10, data }) => data ?? Buffer.alloc(size));
  const run = (at) =>
    box('trun', u32(0x01000b01, samples.length, at), ...samples.map(({ duration, offset = 0 }, i) => u32(duration, media[i].length, offset)));
  const moof = (at) =>
    box('moof', box('mfhd', u32(0, 1)), box('traf', box('tfhd', u32(0x20000, track)), box('tfdt', u32(0x01000000, 0, start)), run(at)));
  return Buffer.concat([box('prft', Buffer.alloc(20)), moof(moof(0).length + 8), box('mdat', ...media)]);
}
