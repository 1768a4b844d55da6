/**
 * Keeps the path of a session good: looks for another one when nothing arrives
 * any more, when the network changes, when the publisher asks for it, and now
 * and then while a relay is in use. A browser moves to a better path by itself
 * only among those that it has not given up; and it looks at its network again
 * only when ICE starts again.
 */
import { Backoff } from './backoff.js';

/**
 * What it needs of a session.
 *
 * @typedef {object} Kept
 * @property {AbortSignal} ended
 * @property {number} arrivals changes whenever a picture or sound arrives; 0 before the first
 * @property {boolean} restarts whether ICE can start again
 * @property {(ms: number) => Promise<boolean>} probe whether the publisher answers within so many milliseconds
 * @property {(over: 'signaling' | 'session') => Promise<void>} restart
 * @property {() => void} doubt says that the path is lost
 * @property {() => void} onrestartrequest
 */

/** How often arrivals are looked at. All times are in milliseconds. */
const tickMs = 100;

/** After this long without a picture that ran before, the publisher is asked whether it is there. */
const suspectMs = 300;

/** How long it has to answer; together they make 0.6 s, and a tick. */
const probeMs = 300;

/** A picture that comes seldom is missed only after this many of its intervals. */
const intervals = 4;

/** A clock that jumps by this much has slept. */
const sleepMs = 5_000;

/** When a direct path is tried for while a relay is in use, counted from then; the last pause comes again and again. */
const improveMs = [10_000, 60_000, 300_000, 900_000];

export class PathKeeper {
  // Constant after construction.
  #session;
  #now;
  #wallNow;

  #busy = false;
  #arrivals = 0;
  #arrivedAt = 0;
  /** Mean time between arrivals. */ #intervalMs = tickMs;
  #nextLookAt = 0;
  #backoff = new Backoff({ firstMs: 1_000, limitMs: 15_000 });
  #wallAt = 0;
  /** When a relay came into use, and how often something better was tried for since. */
  #relayedAt = 0;
  #improved = 0;
  #roundTripMs = 0;

  /**
   * @param {Kept} session
   * @param {{ now?: () => number, wallNow?: () => number }} [platform] in milliseconds; wallNow also counts sleep
   */
  constructor(session, { now = () => performance.now(), wallNow = Date.now } = {}) {
    this.#session = session;
    this.#now = now;
    this.#wallNow = wallNow;
    this.#wallAt = wallNow();
    session.onrestartrequest = () => void this.#act('the agent asks for it', true);
  }

  /** Works until the session ends. @param {EventTarget} [network] tells of changes by "online" and "change" */
  run(network = networkEvents(this.#session.ended)) {
    const { ended } = this.#session;
    const timer = setInterval(() => this.look(), tickMs);
    const changed = () => void this.#act('the network has changed', false);
    network.addEventListener('change', changed, { signal: ended });
    ended.addEventListener('abort', () => clearInterval(timer));
  }

  /**
   * Says what statistics have shown.
   *
   * @param {import('./stats.js').ConnectionStats} connection
   * @param {boolean} hope whether a direct path can be thought of
   */
  see({ path, roundTripMs }, hope) {
    this.#roundTripMs = roundTripMs ?? 0;
    const now = this.#now();
    if (path !== 'relayed') {
      this.#relayedAt = 0;
      return;
    }
    if (this.#relayedAt === 0) {
      this.#relayedAt = now;
      this.#improved = 0;
    }
    const wait = improveMs[Math.min(this.#improved, improveMs.length - 1)];
    if (now - this.#relayedAt < wait || !hope) return;
    this.#relayedAt = now;
    this.#improved += 1;
    void this.#act('a direct path may be possible', true);
  }

  /** Looks whether everything arrives as it did. */
  look() {
    const now = this.#now();
    const wall = this.#wallNow();
    const slept = wall - this.#wallAt > sleepMs;
    this.#wallAt = wall;
    const { arrivals } = this.#session;
    if (arrivals !== this.#arrivals) {
      if (this.#arrivals !== 0) this.#intervalMs += (Math.min(now - this.#arrivedAt, 10_000) - this.#intervalMs) / 8;
      this.#arrivals = arrivals;
      this.#arrivedAt = now;
      this.#nextLookAt = 0;
      this.#backoff.reset();
    }
    if (slept) return void this.#act('the machine has slept', false);
    const silent = this.#arrivals !== 0 && now - this.#arrivedAt > Math.max(suspectMs, intervals * this.#intervalMs);
    if (silent && now >= this.#nextLookAt) void this.#act('nothing arrives any more', false);
  }

  /**
   * Asks whether the publisher is there, and restarts ICE if it is not, or if
   * that is wanted all the same.
   *
   * @param {string} why
   * @param {boolean} wanted
   */
  async #act(why, wanted) {
    const session = this.#session;
    if (this.#busy || session.ended.aborted) return;
    this.#busy = true;
    const { arrivals } = session;
    let lost = false;
    try {
      const alive = await session.probe(Math.max(probeMs, 3 * this.#roundTripMs));
      lost = !alive && session.arrivals === arrivals;
      if (session.ended.aborted || (!lost && !wanted)) return;
      console.info(`sightline: another path is looked for: ${why}`);
      if (!session.restarts) {
        if (lost) session.doubt();
        return;
      }
      await session.restart(lost ? 'signaling' : 'session');
    } catch (error) {
      console.info('sightline: no other path could be agreed on', error);
      if (lost && session.arrivals === arrivals) session.doubt();
    } finally {
      this.#nextLookAt = this.#now() + this.#backoff.next();
      this.#busy = false;
    }
  }
}

/** @param {AbortSignal} signal @returns {EventTarget} "change" when the browser says that its network is another one */
function networkEvents(signal) {
  const events = new EventTarget();
  const tell = () => events.dispatchEvent(new Event('change'));
  globalThis.addEventListener?.('online', tell, { signal });
  // Not known to every browser, nor to TypeScript.
  const { connection } = /** @type {{ connection?: EventTarget }} */ (globalThis.navigator ?? {});
  connection?.addEventListener('change', tell, { signal });
  return events;
}
