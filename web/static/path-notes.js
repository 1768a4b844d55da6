/**
 * What this browser asks a publisher about the ways to it, while there is a
 * session: the servers and the ticket for the next one, and how its network
 * behaves. A publisher that does not know these questions is not asked again.
 */
import { callJson } from './api.js';
import { pause } from './backoff.js';
import { isIceServers } from './ice.js';
import { readAgentNetwork, readOwnNetwork, tellPath, unknownNetwork } from './path-story.js';

/** Nothing is asked more often than this, nor later than half of what it is good for, in milliseconds. */
const soonestMs = 60_000;
const latestMs = 6 * 3_600_000;

export class PathNotes {
  // Constant after construction.
  #peer;
  #session;
  #book;
  #now;

  /** @type {import('./path-story.js').AgentNetwork | null} */ #agent = null;
  #own = unknownNetwork;
  /** The path when the agent was asked about its network. */ #askedAbout = '';

  /**
   * @param {{ peer: string, session: Pick<import('./session.js').Session, 'http' | 'ended' | 'gathering'>,
   *   book: import('./addressbook.js').AddressBook, now?: () => number }} options now: milliseconds since 1970
   */
  constructor({ peer, session, book, now = Date.now }) {
    this.#peer = peer;
    this.#session = session;
    this.#book = book;
    this.#now = now;
  }

  /** Works until the session ends. @returns {Promise<void>} */
  async run() {
    const { ended } = this.#session;
    while (!ended.aborted) {
      const ends = await Promise.all([this.#try(() => this.#askServers()), this.#try(() => this.#askTicket())]);
      const half = (Math.min(...ends) * 1000 - this.#now()) / 2;
      await pause(Math.max(soonestMs, Math.min(half, latestMs)), ended);
    }
  }

  /**
   * Says why the session's path is what it is.
   *
   * @param {import('./stats.js').ConnectionStats} connection
   * @returns {string} a sentence; empty while there is nothing to say
   */
  see(connection) {
    const { path } = connection;
    if (path !== 'unknown' && path !== this.#askedAbout) {
      this.#askedAbout = path;
      void this.#try(() => this.#askNetwork());
    }
    const own = readOwnNetwork(this.#session.gathering);
    if (own.udp !== 'unknown') this.#own = own;
    return tellPath(connection, this.#own, this.#agent);
  }

  /**
   * @param {() => Promise<number | void>} ask
   * @returns {Promise<number>} when what was asked for ends, in seconds since 1970
   */
  async #try(ask) {
    try {
      return (await ask()) ?? Infinity;
    } catch (error) {
      console.debug('sightline: the agent does not say more about the way to it', error);
      return Infinity;
    }
  }

  async #askServers() {
    const { servers } = await callJson(this.#session.http, '/v1/ice', { signal: this.#session.ended });
    if (!isIceServers(servers)) throw new TypeError('the agent names no servers');
    await this.#book.keepServers(this.#peer, servers);
    this.#session.gathering.use(servers);
    return Math.min(Infinity, ...servers.map(({ expires }) => expires || Infinity));
  }

  async #askTicket() {
    const answer = await callJson(this.#session.http, '/v1/tickets', { method: 'POST', body: {}, signal: this.#session.ended });
    return (await this.#book.keepTicket(this.#peer, answer)).expiresUnix;
  }

  async #askNetwork() {
    const network = readAgentNetwork(await callJson(this.#session.http, '/v1/network', { signal: this.#session.ended }));
    if (network) this.#agent = network;
  }
}
