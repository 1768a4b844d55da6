/**
 * The sound on a reel, put together anew with silence where there is none: a
 * browser shows no picture that it has no sound for, and takes the frames of a
 * track for one after the other, whatever times they have.
 */
import { readRun } from './playback-boxes.js';
import { makeFragment } from './playback-fragment.js';

/**
 * @typedef {import('./encoding.js').Bytes} Bytes
 *
 * @typedef {{ bytes: Bytes, ticks: number }} SoundFrame and how long it is heard
 *
 * @typedef {{ bytes: Bytes, at: number }} SoundFragment at: its time 0 on the reel, in seconds
 */

/**
 * @param {{ audio: string }} segment
 * @returns {boolean} whether silence can be made for its sound
 */
export function canFill({ audio }) {
  return audio === 'opus' || audio === 'mp4a.40.2';
}

export class Sound {
  #track;
  #audio;
  /** @type {SoundFrame | null} */ #silence;
  /** Time 0 of the file on the reel, in seconds. */
  #offset = 0;
  /** Up to where there is sound, on the reel, in seconds. */
  #end;

  /**
   * @param {object} options
   * @param {import('./playback-boxes.js').Track} options.track
   * @param {{ audio: string }} options.segment
   * @param {number} options.end where the sound before it ends on the reel, in seconds; NaN if there is none
   */
  constructor({ track, segment, end }) {
    this.#track = track;
    this.#audio = segment.audio;
    this.#silence = silenceOf(segment, track);
    this.#end = end;
  }

  /** Up to where there is sound, on the reel, in seconds; NaN before the first. */
  get end() {
    return this.#end;
  }

  /**
   * A piece of the video comes next.
   *
   * @param {number} offset time 0 of the file on the reel, in seconds
   * @param {number} start of the piece on the reel
   */
  follow(offset, start) {
    this.#offset = offset;
    if (Number.isNaN(this.#end)) this.#end = start;
  }

  /**
   * Takes the sound of a piece.
   *
   * @param {Bytes} bytes all of it
   * @returns {SoundFragment | null} what is to be put on the reel
   * @throws {RangeError} if these are no boxes of ours
   */
  take(bytes) {
    const run = readRun(bytes);
    if (!run) throw new RangeError('the sound of a recording is cut off');
    const { timescale } = this.#track;
    if (!this.#silence) {
      this.#end = this.#offset + (run.start + run.duration) / timescale;
      return { bytes, at: this.#offset };
    }
    /** @type {SoundFrame[]} */
    const frames = [];
    let heard = (this.#end - this.#offset) * timescale;
    let at = run.mediaAt;
    for (const { time, size } of run.samples) {
      const frame = bytes.subarray(at, at + size);
      at += size;
      const missing = Math.round((time - heard) / this.#silence.ticks);
      for (let i = 0; i < missing; i++) frames.push(this.#silence);
      heard += Math.max(0, missing) * this.#silence.ticks;
      // What was heard already, where two files overlap.
      if (missing < 0) continue;
      const ticks = ticksOf(this.#audio, frame, timescale);
      frames.push({ bytes: frame, ticks });
      heard += ticks;
    }
    return this.#put(frames);
  }

  /**
   * @param {number} to on the reel, in seconds
   * @returns {SoundFragment | null} silence up to there; null if none is needed, or can be made
   */
  fill(to) {
    const silence = this.#silence;
    if (!silence) return null;
    const missing = Math.round(((to - this.#end) * this.#track.timescale) / silence.ticks);
    return this.#put(Array.from({ length: Math.max(0, missing) }, () => silence));
  }

  /** @param {SoundFrame[]} frames @returns {SoundFragment | null} */
  #put(frames) {
    if (frames.length === 0) return null;
    const at = this.#end;
    const samples = frames.map(({ bytes, ticks }) => ({ bytes, duration: ticks }));
    this.#end += frames.reduce((sum, { ticks }) => sum + ticks, 0) / this.#track.timescale;
    return { bytes: makeFragment({ track: this.#track.id, start: 0, samples }), at };
  }
}

/**
 * @param {string} audio
 * @param {Bytes} frame
 * @param {number} timescale
 * @returns {number} how long it is heard, in ticks
 */
function ticksOf(audio, frame, timescale) {
  if (audio !== 'opus') return aacTicks;
  const [first = 0, second = 0] = frame;
  const mode = first >> 3;
  // RFC 6716 §3.1, table 2, in milliseconds.
  const lengths = mode < 12 ? [10, 20, 40, 60] : mode < 16 ? [10, 20] : [2.5, 5, 10, 20];
  const counts = [1, 2, 2, second & 0x3f];
  return (lengths[mode % lengths.length] * counts[first & 3] * timescale) / 1000;
}

/** A frame of AAC-LC. */
const aacTicks = 1024;

/**
 * @param {{ audio: string }} segment
 * @param {import('./playback-boxes.js').Track} track
 * @returns {SoundFrame | null}
 */
function silenceOf({ audio }, { channels, timescale }) {
  // CELT, full band, 20 ms, one channel (RFC 6716 §3.1), and nothing coded.
  if (audio === 'opus') return { bytes: Uint8Array.of(0xf8, 0xff, 0xfe), ticks: (timescale * 20) / 1000 };
  if (audio === 'mp4a.40.2' && (channels === 1 || channels === 2)) return { bytes: silentAac(channels), ticks: aacTicks };
  return null;
}

/**
 * A frame of AAC-LC (ISO/IEC 14496-3 §4.4.2.1) without a single scale factor band.
 *
 * @param {1 | 2} channels
 * @returns {Bytes}
 */
function silentAac(channels) {
  // Gain; long window, no band, no prediction; no pulses, no noise shaping, no gain control.
  const channel = '01100100' + '0' + '00' + '0' + '000000' + '0' + '0' + '0' + '0';
  const element = channels === 1 ? `000${'0000'}${channel}` : `001${'0000'}0${channel}${channel}`;
  const bits = `${element}111`;
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) => parseInt(bits.slice(i * 8, i * 8 + 8).padEnd(8, '0'), 2));
}
