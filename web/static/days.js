/**
 * Months as a calendar shows them: weeks from Monday to Sunday.
 */
import { dateKey } from './local-time.js';

/**
 * @typedef {object} Day
 * @property {string} key "2026-11-21"
 * @property {number} day of the month
 * @property {boolean} inside whether it belongs to the month
 * @property {number} fromMs when it begins, by the local clock
 * @property {number} toMs when the next one begins
 */

/**
 * @param {number} year
 * @param {number} month 0 is January
 * @returns {Day[][]} weeks of seven days, as many as it takes
 */
export function weeksOf(year, month) {
  const first = new Date(year, month, 1);
  const last = new Date(year, month + 1, 0);
  const before = (first.getDay() + 6) % 7;
  const count = Math.ceil((before + last.getDate()) / 7);
  return Array.from({ length: count }, (_, week) =>
    Array.from({ length: 7 }, (_, weekday) => dayOf(new Date(year, month, 1 - before + week * 7 + weekday), month)),
  );
}

/** @param {Date} date at midnight @param {number} month @returns {Day} */
function dayOf(date, month) {
  const next = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1);
  return {
    key: dateKey(date.getTime()),
    day: date.getDate(),
    inside: date.getMonth() === month,
    fromMs: date.getTime(),
    toMs: next.getTime(),
  };
}

/**
 * How much of a day there is, for a bar.
 *
 * @param {number} recordedMs of all renditions together
 * @param {Pick<Day, 'fromMs' | 'toMs'>} day
 * @param {number} nowMs
 * @returns {number} from 0 to 1, of what has passed of it
 */
export function shareOf(recordedMs, { fromMs, toMs }, nowMs) {
  const passed = Math.min(toMs, nowMs) - fromMs;
  return passed <= 0 ? 0 : Math.min(1, recordedMs / passed);
}
