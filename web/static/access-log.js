/**
 * The access log of a publisher: lines of JSON, each with the hash of the line
 * before. This browser keeps the number and hash of the last line it has read,
 * so that a publisher, or a thief who has it, can neither cut the log short nor
 * write it anew without being found out.
 */
import { callJson } from './api.js';
import { sha256, isToken } from './encoding.js';
import { parseStrict } from './strict-json.js';

/**
 * @typedef {{ seq: number, hash: string }} LogHead the last line: its number and its hash; 0 and '' before the first
 *
 * @typedef {object} LogRead
 * @property {import('./trust.js').LogEntry[]} entries oldest first
 * @property {LogHead} head of what was read
 * @property {string} warning a sentence if the log is not what it was; empty if all is well
 * @property {boolean} older whether there are entries before these
 */

/** Entries asked for at a time; the API's limit. */
const page = 500;

/** Entries shown even if they were read before. */
const shown = 200;

/** Most pages read at a time; what is beyond is read the next time. */
const maxPages = 40;

/**
 * Reads a log and verifies it against what was read before.
 *
 * @param {import('./api.js').Http} http
 * @param {LogHead | undefined} known where this browser left off
 * @param {AbortSignal} [signal]
 * @returns {Promise<LogRead>}
 * @throws {import('./api.js').ApiError}
 */
export async function readLog(http, known, signal) {
  const { head, floor } = await fetchPage(http, 0, 1, signal);
  const oldest = Math.max(0, floor - 1);
  const from = (/** @type {number} */ after) => Math.max(oldest, head.seq - page * maxPages, after);
  if (known && head.seq < known.seq) {
    const after = from(head.seq - shown);
    const { entries } = await readFrom(http, after, head, undefined, signal);
    return { entries, head, older: after > oldest, warning: `The log has become shorter: ${gone(known.seq - head.seq)}. ${reasons}` };
  }
  // The last entry that was read before is read again, to hold its hash against the one that is known.
  const after = from(Math.min(head.seq - shown, known ? known.seq - 1 : 0));
  const { entries, last, warning } = await readFrom(http, after, head, known, signal);
  const unseen = known ? oldest - known.seq : 0;
  const dropped = unseen > 0 ? `The agent has dropped ${count(unseen)} before this browser saw them: its log has room for so much only.` : '';
  return { entries, head: last, warning: warning || dropped, older: after > oldest };
}

const reasons = 'Either the device was reset or its storage replaced, or somebody has tampered with it.';
const altered = `The log has been changed since this browser read it. ${reasons}`;
const cutOff = 'The agent does not show the whole log. Read it again; if it stays so, somebody has tampered with it.';

/**
 * @param {import('./api.js').Http} http
 * @param {number} after
 * @param {LogHead} head
 * @param {LogHead | undefined} known
 * @param {AbortSignal} [signal]
 */
async function readFrom(http, after, head, known, signal) {
  /** @type {import('./trust.js').LogEntry[]} */
  const entries = [];
  /** @type {LogHead} */
  let last = { seq: after, hash: after === known?.seq ? known.hash : '' };
  while (last.seq < head.seq) {
    const { lines } = await fetchPage(http, last.seq, page, signal);
    if (lines.length === 0) return { entries, last, warning: cutOff };
    for (const line of lines) {
      const entry = readLine(line);
      const hash = await sha256(line);
      // The first line read may have a predecessor that is not known.
      const chained = last.hash === '' ? last.seq > 0 || entry?.prev === '' : entry?.prev === last.hash;
      if (!entry || entry.seq !== last.seq + 1 || !chained) return { entries, last, warning: altered };
      const told = [known, head].find((each) => each?.seq === entry.seq && each.hash !== hash);
      if (told) return { entries, last, warning: altered };
      last = { seq: entry.seq, hash };
      entries.push(entry);
    }
  }
  return { entries, last, warning: '' };
}

/**
 * @param {import('./api.js').Http} http
 * @param {number} after
 * @param {number} limit
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ lines: string[], head: LogHead, floor: number }>}
 */
async function fetchPage(http, after, limit, signal) {
  const answer = await callJson(http, `/v1/access/log?after=${after}&limit=${limit}`, { signal });
  const { lines, head, floor } = answer ?? {};
  const good =
    Array.isArray(lines) && lines.length <= limit && lines.every((line) => typeof line === 'string') &&
    Number.isSafeInteger(head?.seq) && head.seq >= 0 && (head.seq === 0 || isToken(head.hash, 32)) && Number.isSafeInteger(floor);
  if (!good) throw new TypeError('the agent’s log makes no sense');
  return { lines, head: { seq: head.seq, hash: head.hash }, floor };
}

/** @param {string} line @returns {(import('./trust.js').LogEntry & { prev: string }) | null} */
function readLine(line) {
  try {
    const { seq, time, kind, peer, name, what, from, prev } = parseStrict(line);
    const words = { time, kind, peer: peer ?? '', name: name ?? '', what: what ?? '', from: from ?? '', prev: prev ?? '' };
    const good = Number.isSafeInteger(seq) && Object.values(words).every((word) => typeof word === 'string');
    return good ? { seq, ...words } : null;
  } catch {
    return null;
  }
}

/** @param {number} n */
function gone(n) {
  return `${count(n)} that this browser has seen ${n === 1 ? 'is' : 'are'} gone`;
}

/** @param {number} n */
function count(n) {
  return n === 1 ? 'one entry' : `${n} entries`;
}
