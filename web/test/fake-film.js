/**
 * Recordings for tests with real bytes: 25 frames a second, 2 s a fragment.
 */
import { ApiError } from '../static/api.js';
import { FakeLibrary, segment } from './fake-library.js';
import { bytes, init, part } from './fake-mp4.js';

/** An Opus frame of 20 ms. */
const sound = Buffer.from([0xf8, 1, 2, 3]);

/**
 * @param {number} startUs
 * @param {object} [options] as of segment, and
 * @param {number} [options.frames] of each fragment
 * @param {(i: number, fragment: number) => number} [options.shift] of the composition, in ticks
 * @param {number} [options.delay] of the edit list
 * @param {(fragment: number) => number[] | null} [options.heard] ticks of 48 kHz at which sound begins, of the fragment's
 */
export function film(startUs, { frames = 50, shift = () => 0, delay = 0, heard = () => null, wallUs = (i) => startUs + i * 2e6, ...options } = {}) {
  const made = segment(startUs, { audio: '', ...options });
  const head = init({ delay, sound: made.audio ? { timescale: 48_000, channels: 1 } : null });
  const parts = [Buffer.from(head)];
  let offset = head.length;
  made.initBytes = head.length;
  made.fragments.forEach((fragment, i) => {
    const start = i * frames * 3600;
    const video = part({ start, samples: Array.from({ length: frames }, (_, n) => ({ duration: 3600, size: 20, offset: shift(n, i) + delay })) });
    const times = heard(i);
    const audio = times ? part({ track: 2, start: times[0], samples: times.map((at, n) => ({ duration: (times[n + 1] ?? at + 960) - at, data: sound })) }) : Buffer.alloc(0);
    Object.assign(fragment, { startUs: wallUs(i), durationUs: wallUs(i + 1) - wallUs(i), mediaStart: start, offset, bytes: video.length + audio.length, videoBytes: video.length });
    parts.push(video, audio);
    offset += fragment.bytes;
  });
  made.endUs = wallUs(made.fragments.length);
  return { ...made, bytes: offset, data: bytes(...parts) };
}

/** Ticks of gapless sound of a fragment. */
export const gapless = (i) => Array.from({ length: 100 }, (_, n) => i * 96_000 + n * 960);

export class FilmLibrary extends FakeLibrary {
  /** Ranges that were asked for, as "id from-to". */
  ranges = [];
  /** What goes wrong with the next answers: called with the bytes, gives a stream or throws. */
  trouble = [];

  async bytes(_, id, { from, to, signal }) {
    signal?.throwIfAborted();
    this.ranges.push(`${id} ${from}-${to}`);
    const film = this.all.find((each) => each.id === id);
    if (!film) throw new ApiError(404, 'not_found', 'The segment is gone.');
    const part = film.data.slice(from, to);
    const trouble = this.trouble.shift();
    return trouble ? trouble(part) : new Blob([part]).stream();
  }

  init(camera, { id, initBytes }, { signal } = {}) {
    return this.bytes(camera, id, { from: 0, to: initBytes, signal }).then(async (stream) => new Uint8Array(await new Response(stream).arrayBuffer()));
  }

  async keyFrame(_, { atMs, signal }) {
    signal?.throwIfAborted();
    this.ranges.push(`key ${atMs}`);
    return { timeMs: atMs, codec: 'avc1', width: 640, height: 360, data: Uint8Array.of(0, 0, 0, 1, 0x65, 1, 2, 3) };
  }
}

/** A reel that writes down what is put on it. */
export class FakeReel {
  /** @type {{ track: string, bytes: Uint8Array, offset: number }[]} */ appended = [];
  begun = [];
  removed = [];
  /** How many appends are refused for want of room. */
  full = 0;

  async begin({ id }, tracks) {
    this.begun.push(id);
    this.tracks = tracks;
  }

  async append(track, bytes, offset) {
    if (this.full > 0) {
      this.full -= 1;
      throw new DOMException('full', 'QuotaExceededError');
    }
    this.appended.push({ track, bytes, offset });
  }

  async remove(from, to) {
    this.removed.push([from, to]);
  }
}
