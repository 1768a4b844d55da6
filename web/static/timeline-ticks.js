/**
 * Where a timeline has its ticks, and what they are called, by the clock on the
 * wall of whoever looks at it.
 */
import { clockInWords, dateName, dayName, startOfDay } from './local-time.js';

/**
 * @typedef {object} Tick
 * @property {number} ms
 * @property {'minor' | 'major' | 'day'} kind day: a day begins
 * @property {string} label empty for minor ones
 */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Labelled steps and the unlabelled ones between them. @type {[major: number, minor: number][]} */
const steps = [
  [second, 200],
  [2 * second, 500],
  [5 * second, second],
  [10 * second, 2 * second],
  [15 * second, 5 * second],
  [30 * second, 5 * second],
  [minute, 10 * second],
  [2 * minute, 30 * second],
  [5 * minute, minute],
  [10 * minute, 2 * minute],
  [15 * minute, 5 * minute],
  [30 * minute, 5 * minute],
  [hour, 10 * minute],
  [2 * hour, 30 * minute],
  [3 * hour, hour],
  [6 * hour, hour],
  [12 * hour, 3 * hour],
  [day, 6 * hour],
  [2 * day, 12 * hour],
  [7 * day, day],
  [14 * day, day],
];

/** Ticks without a label are left out when they would be closer than this, in pixels. */
const minorPx = 7;

/**
 * The step between labelled ticks.
 *
 * @param {number} msPerPx
 * @param {number} labelPx room that a label needs
 * @returns {{ major: number, minor: number }} in milliseconds
 */
export function stepFor(msPerPx, labelPx) {
  const [major, minor] = steps.find(([each]) => each / msPerPx >= labelPx) ?? steps[steps.length - 1];
  return { major, minor };
}

/**
 * @param {import('./timeline-scale.js').Scale} scale
 * @param {{ labelPx?: number }} [options] room that a label needs, default 72 pixels
 * @returns {Tick[]} in order, those just outside included, so that their labels do not appear all at once
 */
export function ticksOf(scale, { labelPx = 72 } = {}) {
  const { major, minor } = stepFor(scale.msPerPx, labelPx);
  const from = scale.fromMs - labelPx * scale.msPerPx;
  const to = scale.toMs + labelPx * scale.msPerPx;
  /** @type {Map<number, Tick>} */
  const ticks = new Map();
  if (minor / scale.msPerPx >= minorPx) {
    for (const ms of moments(from, to, minor)) ticks.set(ms, { ms, kind: 'minor', label: '' });
  }
  for (const ms of moments(from, to, major)) {
    // With steps of days every label is one, and none stands out.
    if (major > day) ticks.set(ms, { ms, kind: 'major', label: dateName(ms) });
    else if (startOfDay(ms) === ms) ticks.set(ms, { ms, kind: 'day', label: dayName(ms) });
    else ticks.set(ms, { ms, kind: 'major', label: clockInWords(ms, major < minute) });
  }
  return [...ticks.values()].sort((a, b) => a.ms - b.ms);
}

/**
 * The beginnings of days in sight.
 *
 * @param {import('./timeline-scale.js').Scale} scale
 * @returns {number[]}
 */
export function daysOf(scale) {
  return scale.spanMs > 100 * day ? [] : [...moments(scale.fromMs, scale.toMs, day)];
}

/**
 * @param {number} from
 * @param {number} to
 * @param {number} step
 * @returns {Generator<number>} times between that are whole multiples of the step by the local clock
 */
function* moments(from, to, step) {
  if (step <= hour) {
    // The clock may be set while these pass: an hour that comes twice is shown twice.
    const offset = new Date(from).getTimezoneOffset() * minute;
    for (let ms = Math.ceil((from - offset) / step) * step + offset; ms <= to; ms += step) yield ms;
    return;
  }
  const date = new Date(startOfDay(from));
  // Weeks begin on Mondays, and longer steps with the same weeks wherever one looks.
  if (step >= 2 * day) {
    const number = Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - mondayMs) / day);
    date.setDate(date.getDate() - (((number % (step / day)) + step / day) % (step / day)));
  }
  let last = -Infinity;
  for (let i = 0; ; i++) {
    const next = new Date(date);
    if (step >= day) next.setDate(date.getDate() + i * (step / day));
    else next.setHours(i * (step / hour));
    const ms = next.getTime();
    if (ms > to) return;
    // An hour that the clock leaves out is the same moment as the next.
    if (ms >= from && ms > last) yield ms;
    last = ms;
  }
}

/** A Monday, as the calendar's date in UTC. */
const mondayMs = Date.UTC(2024, 0, 1);
