/**
 * The homes this browser knows: for each the access lists it has seen, kept so
 * that what one publisher says can be held against what others have said, and
 * which publisher has which list.
 *
 * The first list of a home is believed only where this browser has proved a
 * secret: what it signed itself at a publisher that it was paired with, and what
 * it is shown of the home that an invite led to. From then on a list counts only
 * if an owner signed it, as far as the lists known before can tell, and a
 * publisher only if such a list names it.
 */
import { judge, lineageOf, mayBelong, nextList } from './access-fork.js';
import { AccessListError, parseList } from './access-list.js';
import { owns } from './access-tree.js';

/**
 * @typedef {import('./access-list.js').SignedList} SignedList
 *
 * @typedef {object} HomeRecord as it is stored
 * @property {string[]} lists compact
 * @property {string[]} settled hashes of lists that have nothing to say any more
 * @property {string} base hash of the list that all others are held against: the first that was believed
 * @property {Record<string, string>} reached the hash of the list that each publisher was last seen to have, by PeerID
 * @property {string[]} welcomed jtis of invites that have made an owner
 */

/**
 * Lists kept that others follow: they tell a fork from a list that is merely
 * old, and publishers that were switched off for long want them.
 */
const keepOld = 32;
const keepSettled = 64;
const keepWelcomed = 64;

/** Ends of a fork; more than there are owners make no sense. */
const maxEnds = 24;

const prefix = 'homes/';

export class Homes {
  #vault;
  #self;
  /** One change after the other. @type {Promise<unknown>} */ #turn = Promise.resolve();

  /** @param {import('./vault.js').Vault} vault @param {string} self this browser's PeerID */
  constructor(vault, self) {
    this.#vault = vault;
    this.#self = self;
  }

  /** @param {string} name @returns {Promise<Home | null>} null if nothing is known of it */
  async open(name) {
    /** @type {HomeRecord | undefined} */
    const record = await this.#vault.get(prefix + name);
    if (!record) return null;
    // Own storage: spoilt at worst.
    const lists = await Promise.allSettled(record.lists.map(parseList));
    const good = lists.flatMap((each) => (each.status === 'fulfilled' && each.value.list.home === name ? [each.value] : []));
    return good.length === 0 ? null : new Home(good, record);
  }

  /** @returns {Promise<Home[]>} those that this browser is an owner of, by the newest list it knows */
  async owned() {
    const names = (await this.#vault.keys(prefix)).map((key) => key.slice(prefix.length));
    const homes = await Promise.all(names.map((name) => this.open(name)));
    return homes.flatMap((home) => (home?.owns(this.#self) ? [home] : []));
  }

  /**
   * @param {string} publisher
   * @param {string} [said] the home that it says it belongs to
   * @returns {Promise<Home | null>} the home whose list names it; of several the one that it says
   */
  async of(publisher, said) {
    const homes = (await this.owned()).filter((home) => home.names(publisher));
    return homes.length > 1 ? (homes.find(({ name }) => name === said) ?? null) : (homes[0] ?? null);
  }

  /**
   * Takes in the lists that a publisher shows, if it belongs to their home.
   *
   * @param {string} publisher
   * @param {Pick<import('./access-state.js').AccessState, 'list' | 'lists'>} state
   * @returns {Promise<Home | null>} null if it is not for this browser to say who has access there
   * @throws {AccessListError} if nobody who owns the home, as far as is known, has signed its list
   */
  learn(publisher, state) {
    return this.#alone(() => this.#learn(publisher, state));
  }

  /** @param {string} publisher @param {Pick<import('./access-state.js').AccessState, 'list' | 'lists'>} state */
  async #learn(publisher, { list, lists }) {
    if (!list) return null;
    const { home: name } = list.list;
    const before = await this.open(name);
    const shown = new Map([...lists, list].filter((each) => each.list.home === name).map((each) => [each.hash, each]));
    const all = [...shown.values()].toSorted((a, b) => a.list.version - b.list.version);
    if (!before && !(await this.#mayBegin(publisher, list))) return null;
    const known = before ? [...before.lists] : [...lineageOf(all, list), list];
    for (const each of all) {
      if (before?.settled.includes(each.hash) || known.some(({ hash }) => hash === each.hash)) continue;
      if (mayBelong(known, each)) known.push(each);
      else if (each.hash === list.hash) throw new AccessListError(foreignList);
    }
    const home = new Home(known, before?.record ?? { base: known[0].hash });
    if (!home.names(publisher)) return null;
    await this.#vault.update(`paired/${publisher}`, () => undefined);
    await this.#vault.update(`invited/${publisher}`, () => undefined);
    return this.#store(home);
  }

  /**
   * Whether the first list that is seen of a home is believed.
   *
   * @param {string} publisher
   * @param {SignedList} signed
   */
  async #mayBegin(publisher, { list, signer }) {
    if ((await this.#vault.get(`invited/${publisher}`)) === list.home) return true;
    return signer === this.#self && (await this.#vault.get(`paired/${publisher}`)) !== undefined;
  }

  /**
   * Takes in a list that was made here of everything known.
   *
   * @param {SignedList} signed
   * @param {string[]} [welcomed] jtis of invites that have made owners with it
   * @returns {Promise<Home>}
   */
  signed(signed, welcomed = []) {
    return this.#alone(async () => {
      const before = await this.open(signed.list.home);
      const record = before?.record ?? { base: signed.hash };
      const all = [...(before?.welcomed ?? []), ...welcomed];
      return this.#store(new Home([signed, ...(before?.lists ?? [])], { ...record, welcomed: all }));
    });
  }

  /**
   * Remembers what list a publisher has.
   *
   * @param {SignedList} signed
   * @param {string} publisher
   */
  async reached({ list, hash }, publisher) {
    await this.#alone(() =>
      this.#vault.update(prefix + list.home, (/** @type {HomeRecord | undefined} */ record) =>
        record ? { ...record, reached: { ...record.reached, [publisher]: hash } } : undefined,
      ),
    );
  }

  /**
   * Reading, judging and storing is one step, in all tabs.
   *
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  #alone(action) {
    /** @returns {Promise<T>} */
    const turn = async () => (globalThis.navigator?.locks ? navigator.locks.request('sightline-homes', action) : action());
    const result = this.#turn.then(turn);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** @param {Home} home */
  async #store(home) {
    await this.#vault.update(prefix + home.newest.list.home, () => home.record);
    return home;
  }
}

const foreignList =
  'This agent has an access list that is signed by nobody whom this browser knows as an owner. ' +
  'Ask the other owners; if none of them has signed it, reset the agent.';

/** One home as far as it is known. */
export class Home {
  /**
   * @param {SignedList[]} lists at least one
   * @param {Partial<HomeRecord>} rest
   */
  constructor(lists, { base, settled = [], reached = {}, welcomed = [] }) {
    this.base = lists.find(({ hash }) => hash === base) ?? lists.toSorted((a, b) => a.list.version - b.list.version)[0];
    this.fork = judge(lists, this.base);
    const { inForce, others } = this.fork;
    const ends = [inForce, ...others.slice(0, maxEnds)];
    const old = lists.filter((each) => each !== this.base && !ends.includes(each) && !this.fork.settled.includes(each));
    // What took owners out, and what it was made of, is remembered longest: it answers what they sign later.
    const telling = new Set(lists.flatMap((each) => removal(lists, each)));
    const order = old.toSorted((a, b) => Number(telling.has(b)) - Number(telling.has(a)) || b.list.version - a.list.version);
    this.lists = [...new Set([...ends, this.base, ...order.slice(0, keepOld)])];
    this.settled = [...new Set([...settled, ...this.fork.settled.map(({ hash }) => hash)])].slice(-keepSettled);
    this.reached = reached;
    this.welcomed = [...new Set(welcomed)].slice(-keepWelcomed);
  }

  get name() {
    return this.newest.list.home;
  }

  /** The list to give to everybody. */
  get newest() {
    return this.fork.inForce;
  }

  /** The lists that the newest one came from, as far as they are known, the oldest first. @returns {SignedList[]} */
  get lineage() {
    return lineageOf(this.lists, this.newest);
  }

  /** Whether owners have signed lists that do not know of each other. */
  get forked() {
    return this.fork.others.length > 0;
  }

  /** @returns {HomeRecord} */
  get record() {
    const { base, settled, reached, welcomed } = this;
    return { lists: this.lists.map(({ compact }) => compact), base: base.hash, settled, reached, welcomed };
  }

  /** @param {string} peer @returns {boolean} whether a peer is an owner */
  owns(peer) {
    return !this.fork.gone.has(peer) && this.newest.list.owners.some(({ id }) => id === peer);
  }

  /** @param {string} publisher @returns {boolean} whether it belongs to the home */
  names(publisher) {
    return this.next(0).publishers.some(({ id }) => id === publisher);
  }

  /** @param {number} now Unix seconds @returns {Omit<import('./access-list.js').AccessList, 'type'>} everything known, joined */
  next(now) {
    return nextList(this.fork, now);
  }

  /**
   * @param {import('./access-list.js').Revocation} entry
   * @returns {string[]} PeerIDs of whoever began to revoke it, as far as it is known
   */
  revokedBy(entry) {
    const has = (/** @type {SignedList} */ { list }) => list.revoked.some(({ kind, id }) => kind === entry.kind && id === entry.id);
    const first = this.lists.filter((each) => {
      const before = this.lists.find(({ hash }) => hash === each.list.previous);
      return has(each) && !(before && has(before));
    });
    return first.map(({ signer }) => signer);
  }
}

/**
 * @param {SignedList[]} lists
 * @param {SignedList} signed
 * @returns {SignedList[]} it and what it was made of, if it took an owner out; else none
 */
function removal(lists, signed) {
  const before = lists.find(({ hash }) => hash === signed.list.previous);
  return before?.list.owners.some(({ id }) => !owns(signed, id)) ? [before, signed] : [];
}
