/**
 * Carries the newest access list of a home to every publisher of it, by
 * sessions that carry requests and no media. A publisher that is switched off
 * stays behind until it is reached; which ones those are is known, so that it
 * can be shown.
 */
import { AccessListError } from './access-list.js';
import { readAccess } from './access-state.js';
import { ApiError } from './api.js';
import { Backoff, pause } from './backoff.js';
import { HttpError } from './http1.js';
import { SessionError } from './session-error.js';

/** How long a publisher that was seen with a list is not asked again, in milliseconds. */
const freshMs = 300_000;

/** A publisher is given up for now after so long, in milliseconds. */
const reachMs = 30_000;

/**
 * @typedef {import('./trust.js').Reach} Reach
 * @typedef {import('./access-state.js').AccessState} AccessState
 *
 * @typedef {object} ReplicationOptions
 * @property {import('./home.js').Homes} homes
 * @property {(peer: string, signal: AbortSignal) => Promise<import('./session.js').Session>} connect without media
 * @property {(peer: string) => import('./api.js').Http | null} connected the requests of a session that is there already
 * @property {() => number} [now] milliseconds
 */

export class Replication {
  #homes;
  #connect;
  #connected;
  #now;
  /** One run after the other. */ #turn = Promise.resolve();
  /** Whether keepOn is at work. */ #going = false;
  #skipWait = new AbortController();
  /** What went wrong the last time, by publisher. @type {Map<string, { state: Reach['state'], problem: string }>} */
  #problems = new Map();
  /** When which list was seen at a publisher. A publisher can go back: its storage may be an old one. @type {Map<string, { hash: string, atMs: number }>} */
  #seen = new Map();

  /** @param {ReplicationOptions} options */
  constructor({ homes, connect, connected, now = () => performance.now() }) {
    this.#homes = homes;
    this.#connect = connect;
    this.#connected = connected;
    this.#now = now;
  }

  /** @param {import('./home.js').Home | null} home @returns {Reach[]} */
  status(home) {
    if (!home) return [];
    return home.newest.list.publishers.map(({ id, name, kind }) => {
      const trouble = this.#problems.get(id);
      if (trouble?.state !== 'refused' && home.reached[id] === home.newest.hash) return { id, name, kind, state: 'has it', problem: '' };
      return { id, name, kind, state: trouble?.state ?? 'not reached yet', problem: trouble?.problem ?? '' };
    });
  }

  /**
   * Replicates now, and again and again until nobody is left to be reached. One
   * that is under way goes on at once instead of later.
   *
   * @param {() => Promise<Reach[]>} replicate
   * @param {AbortSignal} stop
   */
  async keepOn(replicate, stop) {
    this.#skipWait.abort();
    if (this.#going) return;
    this.#going = true;
    const backoff = new Backoff({ firstMs: 30_000, limitMs: 600_000 });
    try {
      while (!stop.aborted) {
        this.#skipWait = new AbortController();
        const reach = await replicate();
        if (this.#skipWait.signal.aborted) continue;
        if (reach.every(({ state }) => state !== 'not reached yet')) return;
        await pause(backoff.next(), AbortSignal.any([stop, this.#skipWait.signal]));
      }
    } catch (error) {
      console.warn('sightline: the access list was not carried on', error);
    } finally {
      this.#going = false;
    }
  }

  /**
   * Looks what every publisher really has, one after the other, and gives the
   * newest list to whoever does not have it.
   *
   * @param {string} name of the home
   * @param {AbortSignal} signal
   * @param {() => Promise<void>} changed called when the status is another one
   * @param {{ all?: boolean }} [options] all: asks those too that were seen with the newest list a moment ago
   * @returns {Promise<void>}
   */
  run(name, signal, changed, { all = false } = {}) {
    const result = this.#turn.then(() => {
      if (all) this.#seen.clear();
      return this.#pass(name, signal, changed);
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  /** @param {string} name @param {AbortSignal} signal @param {() => Promise<void>} changed @returns {Promise<void>} */
  async #pass(name, signal, changed) {
    const before = await this.#homes.open(name);
    for (const { id } of before?.newest.list.publishers ?? []) {
      const home = await this.#homes.open(name);
      if (signal.aborted || !home) return;
      const seen = this.#seen.get(id);
      if (seen?.hash === home.newest.hash && this.#now() - seen.atMs < freshMs) continue;
      if (!home.names(id)) continue;
      this.#problems.set(id, { state: 'asking', problem: '' });
      await changed();
      const result = await this.#reach(name, id, signal);
      if (result.state === 'has it') this.#problems.delete(id);
      else this.#problems.set(id, result);
      await changed();
    }
    const after = await this.#homes.open(name);
    // One of them had a newer list: those before it get that one.
    if (before && after && after.newest.list.version > before.newest.list.version) await this.#pass(name, signal, changed);
  }

  /**
   * @param {string} name
   * @param {string} id
   * @param {AbortSignal} signal
   * @returns {Promise<{ state: Reach['state'], problem: string }>}
   */
  async #reach(name, id, signal) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(reachMs)]);
    /** @type {import('./session.js').Session | null} */ let session = null;
    try {
      let http = this.#connected(id);
      if (!http) {
        session = await this.#connect(id, limit);
        http = session.http;
      }
      const { list } = await this.deliver(name, id, http, limit);
      if (list?.hash === (await this.#homes.open(name))?.newest.hash) return { state: 'has it', problem: '' };
      return { state: 'not reached yet', problem: 'Owners have signed different lists. The next change settles it.' };
    } catch (error) {
      return explain(error);
    } finally {
      session?.close('The viewer has brought the access list.');
    }
  }

  /**
   * Brings one publisher and this browser to the same list: takes in what the
   * publisher has, and gives it what is newest then.
   *
   * @param {string} name of the home
   * @param {string} id of the publisher
   * @param {import('./api.js').Http} http
   * @param {AbortSignal} [signal]
   * @returns {Promise<AccessState>}
   */
  async deliver(name, id, http, signal) {
    let state = await readAccess(http, { signal });
    if (state.list && state.list.list.home !== name) {
      throw new AccessListError('This agent belongs to another home now. Take it off this one’s list, or reset the agent.');
    }
    const home = state.list ? await this.#homes.learn(id, state) : await this.#homes.open(name);
    if (!home?.names(id)) return state;
    if (state.list?.hash !== home.newest.hash) {
      if (state.list) await this.#saw(id, state.list);
      state = await this.#bring(home, state, http, signal);
    }
    if (state.list) await this.#saw(id, state.list);
    return state;
  }

  /** @param {string} id of a publisher @param {import('./home.js').SignedList} list that it has */
  async #saw(id, list) {
    this.#seen.set(id, { hash: list.hash, atMs: this.#now() });
    this.#problems.delete(id);
    await this.#homes.reached(list, id);
  }

  /**
   * Offers the lists that the publisher has missed, the oldest first: it judges
   * each by the one that it was made of. Where those that are younger than its
   * own do not do, it has one by somebody whom an older list took out.
   *
   * @param {import('./home.js').Home} home
   * @param {AccessState} before what the publisher has
   * @param {import('./api.js').Http} http
   * @param {AbortSignal} [signal]
   * @returns {Promise<AccessState>}
   */
  async #bring({ newest, lineage }, before, http, signal) {
    const put = (/** @type {import('./home.js').SignedList} */ { compact }) =>
      readAccess(http, { method: 'PUT', body: { list: compact }, signal });
    const version = before.list?.list.version ?? 0;
    const younger = lineage.filter(({ list }) => list.version > version);
    for (const lists of younger.length < lineage.length ? [younger, lineage] : [lineage]) {
      for (const each of lists) {
        await put(each).catch((error) => {
          if (!(error instanceof ApiError)) throw error; // It has that one, or is beyond it.
        });
      }
      try {
        const state = await put(newest);
        if (state.list?.hash === newest.hash || lists === lineage) return state;
      } catch (error) {
        if (!(error instanceof ApiError) || lists === lineage) throw error;
      }
    }
    return before;
  }
}

/** @param {unknown} error @returns {{ state: Reach['state'], problem: string }} */
function explain(error) {
  if (error instanceof SessionError) {
    const unknown = 'It does not know this browser as an owner yet: another owner has to bring it the list. Or it was reset.';
    return { state: 'not reached yet', problem: error.code === 'forbidden' ? unknown : error.message };
  }
  if (error instanceof ApiError || error instanceof AccessListError) return { state: 'refused', problem: error.message };
  if (!(error instanceof HttpError)) console.warn('sightline: an access list was not delivered', error);
  return { state: 'not reached yet', problem: 'The connection was lost.' };
}
