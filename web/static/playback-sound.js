/**
 * The sound on a reel, with silence where there is none: a browser shows no
 * picture that it has no sound for.
 */
import { makeFragment } from './playback-fragment.js';

/** A hole this much longer than one frame is filled. */
const slackFrames = 0.25;

/** @typedef {{ bytes: Uint8Array, ticks: number }} Silence one frame, and how long it lasts */

/**
 * @param {{ audio: string }} segment
 * @returns {boolean} whether silence can be made for its sound
 */
export function canFill({ audio }) {
  return audio === 'opus' || audio === 'mp4a.40.2';
}

export class Sound {
  #track;
  #silence;
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
    this.#silence = silenceOf(segment, track);
    this.#end = end;
  }

  get end() {
    return this.#end;
  }

  /**
   * A piece of the video comes next.
   *
   * @param {number} offset what is added to times in the file, in seconds
   * @param {number} start of the piece on the reel
   */
  follow(offset, start) {
    this.#offset = offset;
    if (Number.isNaN(this.#end)) this.#end = start;
  }

  /**
   * Takes the sound of a piece.
   *
   * @param {import('./playback-boxes.js').Frames} frames
   * @returns {import('./encoding.js').Bytes | null} what has to come before it
   */
  take({ start, duration }) {
    const before = this.fill(this.#offset + start / this.#track.timescale);
    this.#end = this.#offset + (start + duration) / this.#track.timescale;
    return before;
  }

  /**
   * @param {number} to on the reel, in seconds
   * @returns {import('./encoding.js').Bytes | null} a fragment of silence up to there; null if none is needed, or can be made
   */
  fill(to) {
    const silence = this.#silence;
    const { timescale, id } = this.#track;
    const ticks = Math.round((to - this.#end) * timescale);
    const start = Math.max(0, Math.round((this.#end - this.#offset) * timescale));
    if (!silence || ticks < silence.ticks * (1 + slackFrames)) return null;
    const count = Math.floor(ticks / silence.ticks);
    const samples = Array.from({ length: count }, () => ({ bytes: silence.bytes, duration: silence.ticks }));
    // The last one lasts until the sound that follows.
    samples[count - 1].duration = ticks - (count - 1) * silence.ticks;
    this.#end = to;
    return makeFragment({ track: id, start, samples });
  }
}

/**
 * @param {{ audio: string }} segment
 * @param {import('./playback-boxes.js').Track} track
 * @returns {Silence | null}
 */
function silenceOf({ audio }, { channels, timescale }) {
  // CELT, full band, 20 ms, one channel (RFC 6716 §3.1), and nothing coded.
  if (audio === 'opus') return { bytes: Uint8Array.of(0xf8, 0xff, 0xfe), ticks: (timescale * 20) / 1000 };
  if (audio === 'mp4a.40.2' && (channels === 1 || channels === 2)) return { bytes: silentAac(channels), ticks: 1024 };
  return null;
}

/**
 * A frame of AAC-LC (ISO/IEC 14496-3 §4.4.2.1) without a single scale factor band.
 *
 * @param {1 | 2} channels
 * @returns {Uint8Array}
 */
function silentAac(channels) {
  // Gain; long window, no band, no prediction; no pulses, no noise shaping, no gain control.
  const channel = '01100100' + '0' + '00' + '0' + '000000' + '0' + '0' + '0' + '0';
  const element = channels === 1 ? `000${'0000'}${channel}` : `001${'0000'}0${channel}${channel}`;
  const bits = `${element}111`;
  return Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) => parseInt(bits.slice(i * 8, i * 8 + 8).padEnd(8, '0'), 2));
}
