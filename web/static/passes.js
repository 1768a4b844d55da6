/**
 * The grants this browser holds, by the publisher that gave them.
 */
import { isPeerId } from './peerid.js';
import { isWithin, parseGrant } from './tokens.js';

/** What an offer may carry, by the wire protocol. */
const maxGrants = 4;
const maxTotal = 6144;

/** Kept for one publisher. */
const keep = 16;

const prefix = 'grants/';

/** @typedef {{ compact: string, grant: Awaited<ReturnType<typeof parseGrant>>, from: string }} Pass */

export class Passes {
  #vault;
  #self;
  #now;

  /**
   * @param {import('./vault.js').Vault} vault
   * @param {string} self this browser's PeerID
   * @param {() => number} now milliseconds since 1970
   */
  constructor(vault, self, now) {
    this.#vault = vault;
    this.#self = self;
    this.#now = now;
  }

  /**
   * @param {string} publisher that gave it
   * @param {string} compact
   * @throws {import('./tokens.js').TokenError} if it is no grant for this browser
   */
  async add(publisher, compact) {
    const grant = await parseGrant(compact);
    if (grant.sub !== this.#self) throw new TypeError('the grant is for another browser');
    await this.#vault.update(prefix + publisher, (/** @type {string[] | undefined} */ before = []) =>
      [compact, ...before.filter((each) => each !== compact)].slice(0, keep),
    );
  }

  /**
   * Finds what to show a publisher: what it gave itself, then what others of
   * its home gave and holds there. Nothing else is shown: a grant says who gave it.
   *
   * @param {string} publisher
   * @param {string} home of the publisher, as far as it is known; empty if not
   * @returns {Promise<Pass[]>} newest first
   */
  async for(publisher, home) {
    const names = (await this.#vault.keys(prefix)).map((key) => key.slice(prefix.length)).filter(isPeerId);
    const all = await Promise.all(names.map((from) => this.#of(from)));
    const own = (/** @type {Pass} */ { from }) => Number(from === publisher);
    return all
      .flat()
      .filter((pass) => holdsAt(pass, publisher, home))
      .toSorted((a, b) => own(b) - own(a) || b.grant.iat - a.grant.iat);
  }

  /**
   * As much of for() as an offer may carry; what a newer one gives as well comes last.
   *
   * @param {string} publisher
   * @param {string} home
   * @returns {Promise<string[]>}
   */
  async forOffer(publisher, home) {
    let total = 0;
    const passes = await this.for(publisher, home);
    const spare = passes.filter((pass, i) => passes.some((other, j) => covers(other, pass) && (j < i || !covers(pass, other))));
    const fitting = [...passes.filter((pass) => !spare.includes(pass)), ...spare].filter(({ compact }) => {
      const fits = total + compact.length <= maxTotal;
      if (fits) total += compact.length;
      return fits;
    });
    return fitting.slice(0, maxGrants).map(({ compact }) => compact);
  }

  /** @param {string} from @returns {Promise<Pass[]>} those that have not expired */
  async #of(from) {
    /** @type {string[]} */
    const stored = (await this.#vault.get(prefix + from)) ?? [];
    const parsed = await Promise.allSettled(stored.map(parseGrant));
    return stored.flatMap((compact, i) => {
      const each = parsed[i];
      if (each.status === 'rejected' || each.value.sub !== this.#self) return [];
      const { exp } = each.value;
      return exp !== 0 && exp * 1000 <= this.#now() ? [] : [{ compact, grant: each.value, from }];
    });
  }
}

/** Whether one grant is newer than another and gives all that it does. @param {Pass} a @param {Pass} b */
function covers(a, b) {
  return a !== b && a.grant.iat >= b.grant.iat && a.grant.aud === b.grant.aud && isWithin(b.grant, a.grant);
}

/** @param {Pass} pass @param {string} publisher @param {string} home */
function holdsAt({ grant, from }, publisher, home) {
  if (isPeerId(grant.aud)) return grant.aud === publisher;
  if (from === publisher || grant.cameras.some((each) => each.startsWith(`${publisher}/`))) return true;
  return home !== '' && grant.aud === home && grant.cameras.includes('*');
}
