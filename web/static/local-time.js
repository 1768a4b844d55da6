/**
 * Times by the clock on the wall of whoever looks at the page. Written by hand
 * where a picture needs it for every frame.
 */

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** The months, January first. */
export const months = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December',
];

/** @param {number} ms @returns {number} when the day of that moment begins */
export function startOfDay(ms) {
  const date = new Date(ms);
  date.setHours(0, 0, 0, 0);
  return date.getTime();
}

/** @param {number} ms @param {boolean} [seconds] default true @returns {string} "14:02:09" */
export function clockInWords(ms, seconds = true) {
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), ...(seconds ? [date.getSeconds()] : [])];
  return parts.map(two).join(':');
}

/** @param {number} ms @returns {string} "Sat 21 Nov" */
export function dayName(ms) {
  return `${weekdays[new Date(ms).getDay()].slice(0, 3)} ${dateName(ms)}`;
}

/** @param {number} ms @returns {string} "21 Nov" */
export function dateName(ms) {
  const date = new Date(ms);
  return `${date.getDate()} ${months[date.getMonth()].slice(0, 3)}`;
}

/** @param {number} ms @returns {string} "Saturday 21 November" */
export function spokenDay(ms) {
  const date = new Date(ms);
  return `${weekdays[date.getDay()]} ${date.getDate()} ${months[date.getMonth()]}`;
}

/** @param {number} ms @returns {string} "2026-11-21" */
export function dateKey(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** @param {number} part */
function two(part) {
  return String(part).padStart(2, '0');
}
