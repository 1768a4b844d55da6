/**
 * The homes this browser knows: for each the access lists it has seen, kept so
 * that what one publisher says can be held against what others have said, and
 * which publisher has which list.
 *
 * The first list of a home is believed of the publisher that this browser was
 * paired with or invited to; from then on a list counts only if an owner signed
 * it, as far as the lists known before can tell.
 */
import { judge, lineageOf, mayBelong, nextList } from './access-fork.js';
import { AccessListError, byKindAndId, parseList } from './access-list.js';

/**
 * @typedef {import('./access-list.js').SignedList} SignedList
 * @typedef {import('./access-list.js').Revocation} Revocation
 *
 * @typedef {object} HomeRecord as it is stored
 * @property {string[]} lists compact
 * @property {string[]} settled hashes of lists that have nothing to say any more
 * @property {Revocation[]} carried what publishers hold from lists that are not known here
 * @property {Record<string, string>} reached the hash of the list that each publisher is known to have, by PeerID
 */

/**
 * Lists kept that others follow: they tell a fork from a list that is merely
 * old, and publishers that were switched off for long want them.
 */
const keepOld = 32;
const keepSettled = 64;

/** Ends of a fork; more than there are owners make no sense. */
const maxEnds = 24;

const prefix = 'homes/';

export class Homes {
  #vault;
  #self;

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

  /** @returns {Promise<string[]>} the homes that this browser is an owner of, by the newest list it knows */
  async owned() {
    const names = (await this.#vault.keys(prefix)).map((key) => key.slice(prefix.length));
    const homes = await Promise.all(names.map((name) => this.open(name)));
    return names.filter((_, i) => homes[i]?.owns(this.#self));
  }

  /**
   * Takes in a list that a publisher has.
   *
   * @param {SignedList} signed
   * @param {Revocation[]} [carried] what the publisher holds from other lists
   * @returns {Promise<Home>}
   * @throws {AccessListError} if nobody who owns the home, as far as is known, has signed it
   */
  async learn(signed, carried = []) {
    const before = await this.open(signed.list.home);
    if (before && !before.settled.includes(signed.hash) && !mayBelong(before.lists, signed)) {
      throw new AccessListError(
        'This agent has an access list that is signed by nobody whom this browser knows as an owner. ' +
          'Ask the other owners; if none of them has signed it, reset the agent.',
      );
    }
    const known = before?.settled.includes(signed.hash) || before?.lists.some(({ hash }) => hash === signed.hash);
    const lists = [...(known ? [] : [signed]), ...(before?.lists ?? [])];
    const all = new Map([...(before?.carried ?? []), ...carried].map((entry) => [byKindAndId(entry), entry]));
    return this.#store(new Home(lists, { settled: [], reached: {}, ...before, carried: [...all.values()] }));
  }

  /**
   * Takes in a list that was made here of everything known.
   *
   * @param {SignedList} signed
   * @returns {Promise<Home>}
   */
  async signed(signed) {
    const before = await this.open(signed.list.home);
    return this.#store(new Home([signed, ...(before?.lists ?? [])], { settled: [], reached: {}, ...before, carried: [] }));
  }

  /**
   * Remembers that a publisher has a list.
   *
   * @param {SignedList} signed
   * @param {string} publisher
   */
  async reached({ list, hash }, publisher) {
    await this.#vault.update(prefix + list.home, (/** @type {HomeRecord | undefined} */ record) =>
      record ? { ...record, reached: { ...record.reached, [publisher]: hash } } : undefined,
    );
  }

  /** @param {Home} home */
  async #store(home) {
    await this.#vault.update(prefix + home.newest.list.home, () => home.record);
    return home;
  }
}

/** One home as far as it is known. */
export class Home {
  /**
   * @param {SignedList[]} lists at least one
   * @param {Pick<HomeRecord, 'settled' | 'carried' | 'reached'>} rest
   */
  constructor(lists, { settled, carried, reached }) {
    this.fork = judge(lists);
    const { inForce, others } = this.fork;
    const ends = [inForce, ...others.slice(0, maxEnds)];
    const old = lists.filter((each) => !ends.includes(each) && !this.fork.settled.includes(each));
    this.lists = [...ends, ...old.toSorted((a, b) => b.list.version - a.list.version).slice(0, keepOld)];
    this.settled = [...settled, ...this.fork.settled.map(({ hash }) => hash)].slice(-keepSettled);
    this.carried = carried;
    this.reached = reached;
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
    const { settled, carried, reached } = this;
    return { lists: this.lists.map(({ compact }) => compact), settled, carried, reached };
  }

  /** @param {string} peer @returns {boolean} whether a peer is an owner */
  owns(peer) {
    return !this.fork.gone.has(peer) && this.newest.list.owners.some(({ id }) => id === peer);
  }

  /** @param {number} now Unix seconds @returns {Omit<import('./access-list.js').AccessList, 'type'>} everything known, joined */
  next(now) {
    return nextList(this.fork, this.carried, now);
  }
}
