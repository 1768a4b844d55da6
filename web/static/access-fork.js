/**
 * Several access lists of one home. Each names the one it follows, so that most
 * of them are merely older. Two owners who sign at the same time make a fork,
 * and whoever signs next after seeing both ends joins it: taking away wins over
 * giving, and of two owners who took each other out the senior one stays.
 */
import { byKindAndId } from './access-list.js';
import { owns, sortOut } from './access-tree.js';

/**
 * @typedef {import('./access-list.js').SignedList} SignedList
 * @typedef {import('./access-list.js').Revocation} Revocation
 *
 * @typedef {object} Fork
 * @property {SignedList} inForce the list that counts until a fork is joined: the newest end whose signer nobody
 *   took out, of two the senior signer's
 * @property {SignedList[]} others ends beside it that have something to say; none unless there is a fork
 * @property {SignedList[]} settled lists that have nothing to say any more, or never had
 * @property {Set<string>} gone PeerIDs of owners who were taken out
 */

/**
 * Finds out what counts.
 *
 * An end is a list that no other one follows. What an owner signs who was taken
 * out counts for nothing, whether it follows the list that did so or not.
 *
 * @param {SignedList[]} lists at least one
 * @param {SignedList} [base] the one that all is held against, by default the oldest
 * @returns {Fork}
 */
export function judge(lists, base = lists.toSorted((a, b) => a.list.version - b.list.version)[0]) {
  const { sound, idle, seniority } = sortOut(lists, base);
  const isSenior = (/** @type {string} */ a, /** @type {string} */ b) => seniority(a) < seniority(b);
  const ends = sound.filter((each) => !sound.some((next) => next.list.previous === each.hash && owns(each, next.signer)));
  const gone = takenOut(sound, ends, isSenior);
  const good = ends.filter(({ signer }) => !gone.has(signer));
  const senior = (/** @type {SignedList} */ a, /** @type {SignedList} */ b) => Number(isSenior(b.signer, a.signer));
  const [inForce] = (good.length > 0 ? good : ends).toSorted(
    (a, b) => b.list.version - a.list.version || senior(a, b) - senior(b, a) || (a.hash < b.hash ? -1 : 1),
  );
  const over = (/** @type {SignedList} */ end) =>
    (end.list.version < inForce.list.version || gone.has(end.signer)) && takesAwayAll(inForce, end, gone, sound);
  const beside = ends.filter((end) => end !== inForce);
  return { inForce, others: beside.filter((end) => !over(end)), settled: [...beside.filter(over), ...idle], gone };
}

/**
 * @param {SignedList[]} known
 * @param {SignedList} signed of the same home
 * @returns {boolean} whether an owner has signed it, as far as the known lists can tell
 */
export function mayBelong(known, signed) {
  return known.some((each) => each.hash === signed.hash || owns(each, signed.signer));
}

/**
 * Joins all that is known of a home into the content of the next list.
 *
 * @param {Fork} fork
 * @param {number} now Unix seconds
 * @returns {Omit<import('./access-list.js').AccessList, 'type'>}
 */
export function nextList({ inForce, others, gone }, now) {
  // Whoever was taken out can still take away, but not give.
  const givers = [inForce, ...others.filter(({ signer }) => !gone.has(signer))];
  const owners = firstOfEach(givers.flatMap(({ list }) => list.owners)).filter(({ id }) => !gone.has(id));
  const staying = new Set(owners.map(({ id }) => id));
  const revoked = union([inForce, ...others].flatMap(({ list }) => list.revoked)).filter(
    ({ kind, id, exp }) => (exp === 0 || exp >= now) && !(kind === 'peer' && staying.has(id)),
  );
  const revokedPeers = new Set(revoked.filter(({ kind }) => kind === 'peer').map(({ id }) => id));
  return {
    home: inForce.list.home,
    version: inForce.list.version + 1,
    previous: inForce.hash,
    time: now,
    owners,
    publishers: firstOfEach(givers.flatMap(({ list }) => list.publishers)).filter(({ id }) => !revokedPeers.has(id)),
    revoked,
  };
}

/**
 * Finds who is no owner any more. Somebody is out whom a list that an owner
 * signed takes out, unless that owner is the junior of the two and is taken out
 * by a list that does not take out the senior one.
 *
 * @param {SignedList[]} lists
 * @param {SignedList[]} ends of them
 * @param {(a: string, b: string) => boolean} isSenior
 * @returns {Set<string>}
 */
function takenOut(lists, ends, isSenior) {
  const gone = new Set();
  for (const id of new Set(lists.flatMap(({ list }) => list.owners.map((owner) => owner.id)))) {
    const answered = (/** @type {string} */ signer) =>
      isSenior(id, signer) && ends.some((end) => takesOut(lists, end, signer) && !takesOut(lists, end, id));
    if (ends.some((end) => takesOut(lists, end, id) && !answered(end.signer))) gone.add(id);
  }
  return gone;
}

/**
 * Whether a list takes away all that another one does, for as long; owners who stay excepted.
 *
 * @param {SignedList} next
 * @param {SignedList} other
 * @param {Set<string>} gone
 * @param {SignedList[]} lists
 */
function takesAwayAll(next, other, gone, lists) {
  if (next.list.owners.some(({ id }) => gone.has(id) && takesOut(lists, other, id))) return false;
  const owners = new Set(next.list.owners.map(({ id }) => id).filter((id) => !gone.has(id)));
  const all = new Map(next.list.revoked.map((entry) => [byKindAndId(entry), entry.exp]));
  return other.list.revoked.every((entry) => {
    const exp = all.get(byKindAndId(entry));
    const lapsed = entry.exp !== 0 && entry.exp < next.list.time;
    return lapsed || owners.has(entry.id) || exp === 0 || (exp !== undefined && entry.exp !== 0 && exp >= entry.exp);
  });
}

/**
 * Whether a list revokes a peer, or leaves out one who was an owner in a list that it came from.
 *
 * @param {SignedList[]} lists
 * @param {SignedList} signed
 * @param {string} peer
 */
function takesOut(lists, signed, peer) {
  if (owns(signed, peer)) return false;
  if (signed.list.revoked.some(({ kind, id }) => kind === 'peer' && id === peer)) return true;
  return lineageOf(lists, signed).some((before) => owns(before, peer));
}

/**
 * @param {SignedList[]} lists
 * @param {SignedList} signed
 * @returns {SignedList[]} the lists that it came from, as far as they are known, the oldest first
 */
export function lineageOf(lists, { list }) {
  /** @type {SignedList[]} */
  const line = [];
  for (let { previous } = list; previous !== ''; ) {
    const before = lists.find(({ hash }) => hash === previous);
    if (!before) break;
    line.unshift(before);
    ({ previous } = before.list);
  }
  return line;
}

/** @param {Revocation[]} entries @returns {Revocation[]} each once, in force as long as the longest of them */
function union(entries) {
  /** @type {Map<string, Revocation>} */
  const all = new Map();
  for (const entry of entries) {
    const before = all.get(byKindAndId(entry));
    const longer = before === undefined || (before.exp !== 0 && (entry.exp === 0 || entry.exp > before.exp));
    if (longer) all.set(byKindAndId(entry), entry);
  }
  return [...all.values()];
}

/**
 * @template {{ id: string }} T
 * @param {T[]} entries
 * @returns {T[]} the first of each id
 */
function firstOfEach(entries) {
  /** @type {Map<string, T>} */
  const first = new Map();
  for (const entry of entries) if (!first.has(entry.id)) first.set(entry.id, entry);
  return [...first.values()];
}
