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
import { SessionError } from './session.js';

/** A publisher is given up for now after so long, in milliseconds. */
const reachMs = 30_000;

/**
 * @typedef {import('./trust.js').Reach} Reach
 *
 * @typedef {object} ReplicationOptions
 * @property {import('./home.js').Homes} homes
 * @property {(peer: string, signal: AbortSignal) => Promise<import('./session.js').Session>} connect without media
 * @property {(peer: string) => import('./api.js').Http | null} connected the requests of a session that is there already
 */

export class Replication {
  #homes;
  #connect;
  #connected;
  /** Whether keepOn is at work. */ #going = false;
  #skipWait = new AbortController();
  /** What went wrong the last time, by publisher. @type {Map<string, { state: Reach['state'], problem: string }>} */
  #problems = new Map();

  /** @param {ReplicationOptions} options */
  constructor({ homes, connect, connected }) {
    this.#homes = homes;
    this.#connect = connect;
    this.#connected = connected;
  }

  /** @param {import('./home.js').Home | null} home @returns {Reach[]} */
  status(home) {
    if (!home) return [];
    return home.newest.list.publishers.map(({ id, name, kind }) => {
      const trouble = this.#problems.get(id);
      if (home.reached[id] === home.newest.hash) return { id, name, kind, state: 'has it', problem: '' };
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
   * Gives the newest list to whoever does not have it, one after the other.
   *
   * @param {string} name of the home
   * @param {AbortSignal} signal
   * @param {() => Promise<void>} changed called when the status is another one
   * @returns {Promise<boolean>} whether everybody has it
   */
  async run(name, signal, changed) {
    const before = await this.#homes.open(name);
    for (const { id } of before?.newest.list.publishers ?? []) {
      const home = await this.#homes.open(name);
      if (signal.aborted || !home) return false;
      if (home.reached[id] === home.newest.hash) continue;
      this.#problems.set(id, { state: 'asking', problem: '' });
      await changed();
      this.#problems.set(id, await this.#reach(name, id, signal));
      await changed();
    }
    const after = await this.#homes.open(name);
    // One of them had a newer list: those before it get that one.
    if (before && after && after.newest.list.version > before.newest.list.version) return this.run(name, signal, changed);
    return this.status(after).every(({ state }) => state === 'has it');
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
   * @returns {Promise<import('./access-state.js').AccessState>}
   */
  async deliver(name, id, http, signal) {
    let state = await readAccess(http, { signal });
    if (state.list && state.list.list.home !== name) {
      throw new AccessListError('This agent belongs to another home now. Take it off this one’s list, or reset the agent.');
    }
    for (const list of [...(state.list ? [state.list] : []), ...state.others]) await this.#homes.learn(list, state.carried);
    const home = await this.#homes.open(name);
    if (!home) return state;
    if (state.list?.hash !== home.newest.hash) state = await this.#bring(home, http, signal);
    if (state.list?.hash === home.newest.hash) await this.#homes.reached(home.newest, id);
    return state;
  }

  /**
   * A publisher that has missed some lists mostly takes the newest one alone.
   * Where it cannot tell by that who may have signed it, it gets those before.
   *
   * @param {import('./home.js').Home} home
   * @param {import('./api.js').Http} http
   * @param {AbortSignal} [signal]
   */
  async #bring({ newest, lineage }, http, signal) {
    const put = (/** @type {import('./home.js').SignedList} */ { compact }) =>
      readAccess(http, { method: 'PUT', body: { list: compact }, signal });
    try {
      const state = await put(newest);
      if (state.list?.hash === newest.hash || lineage.length === 0) return state;
    } catch (error) {
      if (!(error instanceof ApiError) || lineage.length === 0) throw error;
    }
    for (const each of lineage) {
      await put(each).catch((error) => {
        if (!(error instanceof ApiError)) throw error; // It has that one, or is beyond it.
      });
    }
    return put(newest);
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
