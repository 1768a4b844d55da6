/**
 * The form of signed things: which members an object has, and what each may be.
 * Whatever has another member, or lacks one, is refused.
 */
import { isToken } from './encoding.js';
import { isPeerId } from './peerid.js';

/** @typedef {(value: any) => boolean} Check */

/** Longest name of a person, a device or a publisher, in characters. */
export const maxName = 64;

/** @type {Check} a peer */
export const peer = isPeerId;

/** @param {number} size in bytes @returns {Check} random or hashed bytes */
export const token = (size) => (value) => isToken(value, size);

/** @type {Check} a whole number that both sides hold exactly */
export const whole = (value) => Number.isSafeInteger(value) && value >= 0;

/** @type {Check} */
export const flag = (value) => typeof value === 'boolean';

/** What no name has in it: control characters, line ends, and what turns the direction of the text after it. */
const unprintable = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\ud800-\udfff]/u;

/** @type {Check} what people are shown: short, on one line */
export const name = (value) => typeof value === 'string' && [...value].length <= maxName && !unprintable.test(value);

/** @param {number} longest in characters @returns {Check} */
export const text = (longest) => (value) => typeof value === 'string' && value.length <= longest;

/** @param {...string} values @returns {Check} */
export const oneOf = (...values) => (value) => values.includes(value);

/** @param {Check} check @returns {Check} */
export const orEmpty = (check) => (value) => value === '' || check(value);

/**
 * @param {number} fewest
 * @param {number} most
 * @param {Check} check of each
 * @param {(value: any) => string} [unique] two may not have the same of this
 * @returns {Check}
 */
export const listOf = (fewest, most, check, unique) => (value) =>
  Array.isArray(value) &&
  value.length >= fewest &&
  value.length <= most &&
  value.every(check) &&
  (!unique || new Set(value.map(unique)).size === value.length);

/** @param {Record<string, Check>} members all there are @returns {Check} */
export const object = (members) => (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length === Object.keys(members).length &&
  Object.entries(members).every(([member, check]) => Object.hasOwn(value, member) && check(value[member]));

/**
 * Makes a name that passes: one line, without blanks around it, cut to its length.
 *
 * @param {string} text as a person typed it
 * @returns {string}
 */
export function cleanName(text) {
  const line = text.normalize('NFC').replaceAll(new RegExp(unprintable, 'gu'), ' ').trim();
  return [...line].slice(0, maxName).join('').trim();
}
