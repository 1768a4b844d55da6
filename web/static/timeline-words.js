/**
 * What a timeline says in words: gaps and their causes, events, times.
 */
import { clockInWords, dayName, spokenDay, startOfDay } from './local-time.js';
import { isPeerId, shortPeerId } from './peerid.js';

/**
 * @typedef {import('./timeline-data.js').Gap} Gap
 * @typedef {import('./timeline-data.js').Mark} Mark
 */

/** Why nothing was recorded. @type {Record<string, string>} */
const causes = {
  'camera-offline': 'Camera was offline',
  'not-recording': 'The recorder was not running',
  crash: 'The recorder stopped without warning',
  paused: 'Recording was paused',
  schedule: 'Not recorded, by its schedule',
  'no-event': 'Nothing happened, so nothing was recorded',
  'frames-lost': 'Pictures were lost on the way',
  'agent-unreachable': 'The camera’s agent could not be reached',
  'disk-full': 'The disk was full',
  'disk-failed': 'The disk failed',
  'disk-slow': 'The disk was too slow',
  'clock-step': 'The clock was set forward; nothing is missing',
  damaged: 'This part of the recording is damaged',
  unknown: 'Not recorded; nobody knows why',
};

/** Gaps that somebody wanted so, or that are none. */
const planned = new Set(['paused', 'schedule', 'no-event', 'clock-step']);

/** @param {string} cause @returns {boolean} whether it is no failure */
export function isPlanned(cause) {
  return planned.has(cause);
}

/** @param {Pick<Gap, 'cause' | 'text'>} gap @returns {string} "Camera was offline" */
export function causeInWords({ cause, text }) {
  if (Object.hasOwn(causes, cause)) return causes[cause];
  return text.replace(/\.$/, '') || causes.unknown;
}

/** @param {Gap} gap @returns {string} "Camera was offline, 14:02 to 14:09" */
export function gapInWords(gap) {
  return `${causeInWords(gap)}, ${rangeInWords(gap.fromMs, gap.toMs)}`;
}

/** @param {Pick<Mark, 'type' | 'text'>} event @returns {string} "Door: front door opened" */
export function eventInWords({ type, text }) {
  const name = type.replace(/[-_]/g, ' ');
  const label = name ? name[0].toUpperCase() + name.slice(1) : 'Event';
  return text ? `${label}: ${text}` : label;
}

/**
 * @param {Pick<Mark, 'type' | 'text'>[]} events at least one
 * @returns {string} "Door: opened", "3 events: 2 door, 1 motion"
 */
export function eventsInWords(events) {
  if (events.length === 1) return eventInWords(events[0]);
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 3);
  return `${events.length} events: ${most.map(([type, count]) => `${count} ${type.replace(/[-_]/g, ' ')}`).join(', ')}`;
}

/**
 * @param {number} fromMs
 * @param {number} toMs
 * @returns {string} "14:02 to 14:09", with seconds where it is short, with days where it spans some
 */
export function rangeInWords(fromMs, toMs) {
  const seconds = toMs - fromMs < 3 * 60_000;
  const from = clockInWords(fromMs, seconds);
  const to = clockInWords(toMs, seconds);
  if (startOfDay(fromMs) === startOfDay(toMs)) return from === to ? from : `${from} to ${to}`;
  return `${dayName(fromMs)} ${from} to ${dayName(toMs)} ${to}`;
}

/** @param {number} ms @returns {string} "1 h 5 min", "3 min 20 s", "12 s" */
export function durationInWords(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h >= 48) return `${Math.floor(h / 24)} days${h % 24 ? ` ${h % 24} h` : ''}`;
  if (h > 0) return m ? `${h} h ${m} min` : `${h} h`;
  if (m > 0) return s && m < 10 ? `${m} min ${s} s` : `${m} min`;
  return `${s} s`;
}

/** @param {number} bytes @returns {string} "12 MB", "1.4 GB" */
export function bytesInWords(bytes) {
  for (const [unit, size] of /** @type {[string, number][]} */ ([['TB', 1e12], ['GB', 1e9], ['MB', 1e6], ['kB', 1e3]])) {
    if (bytes >= size) return `${(bytes / size).toFixed(bytes >= 10 * size ? 0 : 1)} ${unit}`;
  }
  return `${bytes} bytes`;
}

/**
 * What is to be said of a place on the timeline.
 *
 * @param {import('./timeline-hits.js').Hit} met
 * @param {boolean} recorded whether there is a picture of that time
 * @returns {string} may be empty
 */
export function hitInWords({ kind, events, gap, lock, pause }, recorded) {
  const by = gap?.cause === 'paused' && pause?.by ? ` · by ${isPeerId(pause.by) ? shortPeerId(pause.by) : pause.by}` : '';
  const said = kind === 'events' ? eventsInWords(events) : gap ? gapInWords(gap) + by : recorded ? '' : 'Not recorded';
  const kept = lock ? ['Kept', lock.name].filter(Boolean).join(': ') : '';
  return [said, kept].filter(Boolean).join(' · ');
}

/**
 * What a screen reader says of a moment.
 *
 * @param {number} ms
 * @param {object} there
 * @param {boolean} there.live whether it is the present that is shown
 * @param {boolean} there.recorded
 * @param {Gap | null} there.gap
 * @param {number} there.nowMs
 * @returns {string}
 */
export function momentInWords(ms, { live, recorded, gap, nowMs }) {
  if (live) return 'Live';
  const day = startOfDay(ms) === startOfDay(nowMs) ? 'today' : spokenDay(ms);
  const what = gap ? gapInWords(gap) : recorded ? 'recorded' : 'not recorded';
  return `${day}, ${clockInWords(ms)}, ${what}`;
}
