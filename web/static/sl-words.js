/**
 * What the elements about access say: rights, cameras, times and entries of
 * the log as words.
 */
import { shortPeerId } from './peerid.js';
import { clockTime } from './status.js';
import { TrustError } from './trust.js';

/**
 * @typedef {import('./trust.js').Right} Right
 * @typedef {{ right: Right, label: string, detail: string, brief: string }} RightWords brief: in a list of rights
 */

/** Every right, the most wanted first. @type {RightWords[]} */
export const rights = [
  { right: 'live', label: 'Watch live', detail: 'See and hear what happens now.', brief: 'live' },
  { right: 'playback', label: 'Watch recordings', detail: 'Go back in time.', brief: 'recordings' },
  { right: 'events', label: 'See events', detail: 'Know when something moved or rang.', brief: 'events' },
  { right: 'talk', label: 'Talk', detail: 'Speak through the camera.', brief: 'talk' },
  { right: 'ptz', label: 'Move the camera', detail: 'Turn it and zoom.', brief: 'moving the camera' },
  { right: 'admin', label: 'Help to manage', detail: 'Change settings, see who has access and the log.', brief: 'managing' },
];

const hour = 3600;

/** How long access may last. @type {{ id: string, label: string, seconds: number }[]} */
export const durations = [
  { id: 'hour', label: 'An hour', seconds: hour },
  { id: 'day', label: 'A day', seconds: 24 * hour },
  { id: 'week', label: 'A week', seconds: 7 * 24 * hour },
  { id: 'open', label: 'Until revoked', seconds: 0 },
];

/**
 * @param {string[]} words
 * @returns {string} "a, b and c"
 */
export function enumerate(words) {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

/** @param {Right[]} granted @returns {string} "Live, recordings and talk" */
export function rightsInWords(granted) {
  const all = enumerate(rights.filter(({ right }) => granted.includes(right)).map(({ brief }) => brief));
  return capital(all);
}

/**
 * @param {string[]} cameras "*", "<PeerID>/*" or "<PeerID>/<camera id>"
 * @param {object} known
 * @param {string} known.publisher the one on the screen
 * @param {{ id: string, name: string }[]} known.cameras of it
 * @param {{ id: string, name: string }[]} known.publishers of the home
 * @returns {string} "all cameras", "Front door and Garden", "all cameras of Recorder"
 */
export function camerasInWords(cameras, known) {
  if (cameras.includes('*')) return 'all cameras';
  const words = cameras.map((each) => {
    const [peer, camera = ''] = each.split('/');
    const device = known.publishers.find(({ id }) => id === peer)?.name || shortPeerId(peer);
    if (camera === '*') return known.publishers.length > 1 ? `all cameras of ${device}` : 'all cameras';
    const name = peer === known.publisher ? known.cameras.find(({ id }) => id === camera)?.name || camera : camera;
    return peer === known.publisher ? name : `${name} at ${device}`;
  });
  return words.length > 4 ? `${words.slice(0, 3).join(', ')} and ${words.length - 3} more` : enumerate(words);
}

/**
 * @param {number} expires Unix seconds, 0 for never
 * @param {Date} [now]
 * @returns {string} "until revoked", "until 14:30", "ended 3 Dec, 14:30"
 */
export function untilInWords(expires, now = new Date()) {
  if (expires === 0) return 'until revoked';
  const then = new Date(expires * 1000);
  return `${then > now ? 'until' : 'ended'} ${clockTime(then.toISOString(), now)}`;
}

/**
 * @param {number} thenMs
 * @param {number} [nowMs]
 * @returns {string} "just now", "5 minutes ago", "yesterday"
 */
export function agoInWords(thenMs, nowMs = Date.now()) {
  const minutes = Math.round((nowMs - thenMs) / 60_000);
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (minutes < 2) return 'just now';
  if (minutes < 60) return format.format(-minutes, 'minute');
  if (minutes < 36 * 60) return format.format(-Math.round(minutes / 60), 'hour');
  return format.format(-Math.round(minutes / 1440), 'day');
}

/** @param {string} time RFC 3339, or empty @param {number} [nowMs] @returns {string} */
export function seenInWords(time, nowMs = Date.now()) {
  const then = Date.parse(time);
  return Number.isNaN(then) ? 'never seen' : `seen ${agoInWords(then, nowMs)}`;
}

/** What happened, by the kind of a log entry: with somebody's name before it, or alone. @type {Record<string, [string, string]>} */
const kinds = {
  started: ['', 'The agent started'],
  paired: ['became the owner', 'Somebody became the owner'],
  reset: ['', 'The owner was reset on the device'],
  invited: ['made an invite', 'An invite was made'],
  redeemed: ['accepted an invite', 'An invite was accepted'],
  revoked: ['revoked access', 'Access was revoked'],
  list: ['changed who has access', 'Who has access was changed'],
  came: ['connected', 'Somebody connected'],
  left: ['left', 'Somebody left'],
  refused: ['was refused', 'Somebody was refused'],
  'whep-token': ['made a link for a player', 'A link for a player was made'],
  clock: ['', 'The clock was set'],
  lost: ['', 'Entries could not be written'],
};

/**
 * @param {import('./trust.js').LogEntry} entry
 * @returns {{ title: string, detail: string, tone: 'plain' | 'careful' }}
 */
export function logInWords({ kind, peer, name, what, from }) {
  const who = name || (peer ? shortPeerId(peer) : '');
  const [does, alone] = Object.hasOwn(kinds, kind) ? kinds[kind] : [kind, kind];
  const title = who && does ? `${who} ${does}` : capital(alone);
  const detail = [what, from ? `from ${from}` : ''].filter(Boolean).join(' · ');
  return { title, detail, tone: ['refused', 'reset', 'lost', 'revoked'].includes(kind) ? 'careful' : 'plain' };
}

/** How far the newest list has come, of one device. @type {Record<import('./trust.js').Reach['state'], string>} */
export const reachWords = {
  'has it': 'up to date',
  'not reached yet': 'not reached yet',
  asking: 'being told…',
  refused: 'did not take it',
};

/** A clock may be wrong by this much before it is worth a word, in milliseconds. */
const clockTolerance = 5 * 60_000;

/**
 * @param {{ believable: boolean, unixMs: number }} clock
 * @param {number} nowMs when the clock was read
 * @returns {string} a sentence, or empty if the clock is right
 */
export function clockInWords({ believable, unixMs }, nowMs) {
  const says = new Date(unixMs);
  const wrong = !believable || Math.abs(unixMs - nowMs) > clockTolerance;
  if (!wrong || Number.isNaN(says.getTime())) return '';
  const date = says.toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
  const until = believable
    ? 'Access that ends by itself ends by that clock.'
    : 'Until it is right, access ends by the latest time that an owner has signed.';
  return `It says ${date}. ${until} Set the device’s time, or let it reach a time server.`;
}

/**
 * What to call this device, such as "Chromium on Linux".
 *
 * @param {{ userAgent: string, userAgentData?: { brands?: { brand: string }[], platform?: string }, maxTouchPoints?: number }} browser
 * @returns {string}
 */
export function deviceLabel({ userAgent, userAgentData, maxTouchPoints = 0 }) {
  const has = (/** @type {RegExp} */ pattern) => pattern.test(userAgent);
  const brands = userAgentData?.brands?.map(({ brand }) => brand) ?? [];
  /** @type {[boolean, string][]} */
  const names = [
    [has(/\bEdgA?\//), 'Edge'],
    [has(/\bOPR\//), 'Opera'],
    [has(/SamsungBrowser\//), 'Samsung Internet'],
    [has(/\b(Firefox|FxiOS)\//), 'Firefox'],
    [brands.length > 0 && !brands.includes('Google Chrome'), 'Chromium'],
    [has(/HeadlessChrome\//), 'Chromium'],
    [has(/\b(Chrome|CriOS)\//), 'Chrome'],
    [has(/Safari\//), 'Safari'],
  ];
  /** @type {[boolean, string][]} */
  const systems = [
    [has(/iPhone/), 'iPhone'],
    [has(/iPad/) || (has(/Macintosh/) && maxTouchPoints > 1), 'iPad'],
    [has(/Android/), 'Android'],
    [has(/CrOS/), 'ChromeOS'],
    [has(/Windows/), 'Windows'],
    [has(/Macintosh|Mac OS X/), 'macOS'],
    [has(/Linux/), 'Linux'],
  ];
  const name = names.find(([is]) => is)?.[1] ?? 'Browser';
  const system = systems.find(([is]) => is)?.[1];
  return system ? `${name} on ${system}` : name;
}

/**
 * What to say when something about access did not work. An error that is not
 * meant for people goes to the console.
 *
 * @param {unknown} error
 * @returns {string} a sentence
 */
export function failureInWords(error) {
  if (error instanceof TrustError) return error.message;
  console.error('sightline: something about access failed', error);
  return 'That did not work. Try again.';
}

/** @param {string} text @returns {string} */
function capital(text) {
  return text === '' ? '' : text[0].toUpperCase() + text.slice(1);
}
