/**
 * Decides what of a recording is put on one reel: what tracks there are cannot
 * change on it.
 */
import { canFill } from './playback-sound.js';
import { plays, soundType, videoType } from './playback-types.js';

/**
 * @typedef {import('./playback-table.js').Piece} Piece
 *
 * @typedef {object} Lane
 * @property {boolean} sound
 * @property {boolean} keyFramesOnly
 */

/**
 * @param {Piece} piece
 * @returns {boolean} whether sound can be played with it: its own, or silence in the same track
 */
export function carriesSound({ segment, fragment }) {
  if (segment.audio === '' || !plays(soundType(segment))) return false;
  return canFill(segment) || fragment.bytes > fragment.videoBytes;
}

/**
 * @param {Lane} lane
 * @param {Piece} next
 * @returns {boolean} whether a piece goes on the reel that has what was directly before it
 */
export function staysOn({ sound }, next) {
  if (!plays(videoType(next.segment))) return false;
  // Sound is turned on only where decoding can start.
  return carriesSound(next) === sound || (!sound && !next.fragment.key);
}
