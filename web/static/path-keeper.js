/**
 * Keeps the path of a session good: restarts ICE when nothing arrives any more,
 * or the network has changed and the publisher does not answer; and has given up
 * paths checked again when the publisher asks for it, and now and then while a
 * relay is in use.
 */
import { Backoff, pause } from './backoff.js';

/**
 * What it needs of a session.
 *
 * @typedef {object} Kept
 * @property {AbortSignal} ended
 * @property {number} arrivals changes whenever a picture or sound arrives; 0 before the first
 * @property {boolean} restarts whether ICE can start again
 * @property {(ms: number) => Promise<boolean>} probe whether the publisher answers within so many milliseconds
 * @property {() => Promise<void>} restart
 * @property {Pick<import('./gathering.js').Gathering, 'checkAgain'>} gathering
 * @property {() => void} doubt says that the path is lost
 * @property {() => void} onrestartrequest
 */

/** How often arrivals are looked at. All times are in milliseconds. */
const tickMs = 100;

/** After this long without a picture that ran before, the publisher is asked whether it is there. */
const suspectMs = 300;

/** How long it has to answer; together they make 0.6 s, and a tick. */
const probeMs = 300;

/** A restart has this long to bring a path, once it is agreed on. */
const graceMs = 700;

/** A picture that comes seldom is missed only after this many of its intervals. */
const intervals = 4;

/** A clock that jumps by this much has slept. */
const sleepMs = 5_000;

/** The first pause before a direct path is tried for while a relay is in use; the next ones double, up to the last. */
const firstImproveMs = 5_000;
const lastImproveMs = 900_000;

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
  /** When something better than the relay in use is tried for, 0 without one, and how often it was so far. */
  #improveAt = 0;
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
   */
  see({ path, roundTripMs }) {
    this.#roundTripMs = roundTripMs ?? 0;
    const now = this.#now();
    if (path !== 'relayed') {
      this.#improveAt = 0;
      this.#improved = 0;
    } else if (this.#improveAt === 0 || now >= this.#improveAt) {
      if (this.#improveAt !== 0) void this.#checkAgain('a relay is in use');
      this.#improveAt = now + Math.min(firstImproveMs * 2 ** this.#improved, lastImproveMs);
      this.#improved += 1;
    }
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
   * Asks whether the publisher is there, and restarts ICE if it is not.
   *
   * @param {string} why
   * @param {boolean} improve whether other paths are to be checked if it is
   */
  async #act(why, improve) {
    const session = this.#session;
    if (this.#busy || session.ended.aborted) return;
    this.#busy = true;
    const { arrivals } = session;
    try {
      const alive = await session.probe(Math.max(probeMs, 3 * this.#roundTripMs));
      if (session.ended.aborted) return;
      if (!alive && session.arrivals === arrivals) await this.#restart(why, arrivals);
      else if (improve) await this.#checkAgain(why);
    } finally {
      this.#nextLookAt = this.#now() + this.#backoff.next();
      this.#busy = false;
    }
  }

  /** @param {string} why @param {number} arrivals when the path was lost */
  async #restart(why, arrivals) {
    const session = this.#session;
    try {
      if (session.restarts) {
        console.info(`sightline: ICE starts again: ${why}`);
        await session.restart();
        // A browser holds on to a path that has died for some seconds if the new
        // one is of a worse kind. A session that begins anew does not.
        await pause(graceMs, session.ended);
      }
    } catch (error) {
      console.info('sightline: ICE could not start again', error);
    }
    if (session.arrivals === arrivals) session.doubt();
  }

  /** @param {string} why */
  async #checkAgain(why) {
    console.info(`sightline: other paths are checked: ${why}`);
    await this.#session.gathering.checkAgain().catch((error) => console.debug('sightline: no other path was checked', error));
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
