/**
 * Decides what of a recording is put on one reel: what tracks there are cannot
 * change on it.
 */
import { plays, soundType, videoType } from './playback-types.js';

/**
 * @typedef {import('./playback-table.js').Piece} Piece
 *
 * @typedef {object} Lane
 * @property {boolean} sound
 * @property {boolean} keyFramesOnly
 */

/** Sound has to be there for this long before it is turned on, in microseconds: a microphone may come and go. */
const steadyUs = 4e6;

/** @param {Piece} piece @returns {boolean} whether it has sound that this browser plays */
export function hasSound({ segment, fragment }) {
  return segment.audio !== '' && fragment.bytes > fragment.videoBytes && plays(soundType(segment));
}

/**
 * @param {Piece[]} pieces that are put on the reel at least, in order
 * @param {(piece: Piece) => Piece | null} peek what follows a piece, as far as that is known
 * @returns {boolean} whether sound is to be played from the first of them on
 */
export function wantsSound(pieces, peek) {
  return pieces.every(hasSound) && isSteady(pieces[0], peek);
}

/**
 * @param {Lane} lane
 * @param {Piece} next
 * @param {(piece: Piece) => Piece | null} peek
 * @returns {boolean} whether a piece goes on the reel that has what was directly before it
 */
export function staysOn({ sound }, next, peek) {
  if (!plays(videoType(next.segment))) return false;
  if (sound) return hasSound(next);
  // Sound is turned on only where decoding can start.
  return !next.fragment.key || !isSteady(next, peek);
}

/**
 * @param {Piece} piece
 * @param {(piece: Piece) => Piece | null} peek
 * @returns {boolean} whether there is sound from there on, and for a while
 */
function isSteady(piece, peek) {
  const { segment, fragment } = piece;
  for (let each = /** @type {Piece | null} */ (piece); each?.segment.id === segment.id; each = peek(each)) {
    if (!hasSound(each)) return false;
    if (each.fragment.startUs - fragment.startUs >= steadyUs) break;
  }
  return true;
}

/** Pixels that a processor core decodes in a second, with something to spare. */
const pixelsPerCore = 120e6;

/** Decoders in hardware take at least this many pixels in a second. */
const hardwarePixels = 1000e6;

/** Key frames further apart than this make no moving picture, in milliseconds on the screen. */
const slowestMs = 700;

/**
 * Whether a rate is too high to decode every frame.
 *
 * @param {object} options
 * @param {number} options.rate
 * @param {number} options.tooHigh the lowest rate that was seen to be too much; Infinity before
 * @param {{ width: number, height: number }} options.segment
 * @param {number} options.framesPerSecond
 * @param {number} options.keyEveryMs of recorded time
 * @param {boolean} options.hardware whether it is decoded in hardware
 * @param {number} options.cores
 * @returns {boolean}
 */
export function tooFast({ rate, tooHigh, segment, framesPerSecond, keyEveryMs, hardware, cores }) {
  if (rate >= tooHigh) return true;
  if (rate <= 2 || keyEveryMs / rate > slowestMs) return false;
  const pixels = segment.width * segment.height * framesPerSecond * rate;
  return pixels > (hardware ? hardwarePixels : Math.min(hardwarePixels, pixelsPerCore * cores));
}

/**
 * @param {import('./recordings.js').Segment} segment
 * @param {number} framesPerSecond
 * @returns {Promise<boolean>} whether the browser decodes such video in hardware
 */
export async function inHardware(segment, framesPerSecond) {
  try {
    const info = await navigator.mediaCapabilities.decodingInfo({
      type: 'media-source',
      video: {
        contentType: videoType(segment),
        width: segment.width,
        height: segment.height,
        framerate: framesPerSecond,
        bitrate: 4e6,
      },
    });
    return info.powerEfficient;
  } catch (error) {
    console.debug('sightline: the browser does not say how it decodes', error);
    return false;
  }
}
