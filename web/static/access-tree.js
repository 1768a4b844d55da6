/**
 * Which access lists of one home count. Each is put below the one that it was
 * made of; one whose signer was no owner there does not count, nor does one
 * whose signer a more senior owner had taken out without knowing of it. Agents
 * judge by the same rules (docs/design/access.md).
 */

/**
 * @typedef {import('./access-list.js').SignedList} SignedList
 *
 * @typedef {object} Sorted
 * @property {SignedList[]} sound those that count, the base included
 * @property {SignedList[]} idle those that do not
 * @property {(peer: string) => number} seniority a lower number is more senior; Infinity: never an owner
 *
 * @typedef {object} Node
 * @property {SignedList} signed
 * @property {Node | null} parent null for the base, and for a list beside it
 * @property {boolean} gap the parent is a guess, because what the list was made of is not known
 * @property {boolean} valid
 * @property {boolean} idle what is wrong with it is not wrong with its parent already
 * @property {number} weight seniority of the most senior owner who signed it, or one that was made of it
 */

/**
 * @param {SignedList[]} lists of one home
 * @param {SignedList} base the one of them that is believed as it is
 * @returns {Sorted}
 */
export function sortOut(lists, base) {
  const all = lists.toSorted((a, b) => a.list.version - b.list.version || (a.hash < b.hash ? -1 : 1));
  for (let sound = all; ; ) {
    const rank = rankOf([base, ...sound]);
    const seniority = (/** @type {string} */ peer) => rank.get(peer) ?? Infinity;
    const nodes = grow(sound, base, seniority);
    const left = nodes.filter(({ idle }) => !idle).map(({ signed }) => signed);
    if (left.length === sound.length) return { sound, idle: all.filter((each) => !sound.includes(each)), seniority };
    // What was made of those left out stands alone now, as if its origin were not known.
    sound = left;
  }
}

/** Owners by seniority: those of the base, then those who came later. @param {SignedList[]} lists */
function rankOf(lists) {
  /** @type {Map<string, number>} */
  const rank = new Map();
  for (const { list } of lists) for (const { id } of list.owners) if (!rank.has(id)) rank.set(id, rank.size);
  return rank;
}

/**
 * @param {SignedList[]} lists by version
 * @param {SignedList} base
 * @param {(peer: string) => number} seniority
 * @returns {Node[]} in the same order
 */
function grow(lists, base, seniority) {
  /** @type {Node[]} */
  const nodes = lists.map((signed) => ({ signed, parent: null, gap: false, valid: true, idle: false, weight: Infinity }));
  const root = /** @type {Node} */ (nodes.find(({ signed }) => signed === base));
  for (const node of nodes) {
    if (node === root) continue;
    connect(node, nodes, root);
    const known = node.parent !== null && !node.gap;
    const fits = !known || follows(/** @type {Node} */ (node.parent).signed, node.signed);
    node.idle = !fits || !owns((node.parent ?? root).signed, node.signed.signer);
    node.valid = !node.idle;
  }
  for (const node of nodes.toReversed()) {
    if (!node.valid) continue;
    node.weight = Math.min(node.weight, seniority(node.signed.signer));
    if (node.parent) node.parent.weight = Math.min(node.parent.weight, node.weight);
  }
  // The heavier are judged first, and nobody lighter overrules them.
  const order = nodes.toSorted((a, b) => (a.weight === b.weight ? 0 : a.weight - b.weight));
  for (const [i, node] of order.entries()) {
    if (node === root) continue;
    if (node.parent && !node.parent.valid) node.valid = false;
    else if (node.valid && overruled(node, order.slice(0, i))) {
      node.valid = false;
      node.idle = true;
    }
  }
  return nodes;
}

/** Finds what a list was made of. @param {Node} node @param {Node[]} nodes @param {Node} root */
function connect(node, nodes, root) {
  const { list, signer } = node.signed;
  const before = nodes.find(({ signed }) => signed.hash === list.previous);
  if (before) {
    node.parent = before;
    return;
  }
  if (list.version <= root.signed.list.version) return;
  // Somebody may have known no more than the first list that made them an owner.
  node.gap = true;
  const first = nodes.find(
    ({ signed }) => signed.list.version > root.signed.list.version && signed.list.version < list.version && owns(signed, signer),
  );
  node.parent = owns(root.signed, signer) ? root : (first ?? root);
}

/**
 * Whether a list can have been made of another: owners who stay have kept their
 * order and new ones are behind them, so that nobody becomes senior by signing so.
 *
 * @param {SignedList} before
 * @param {SignedList} next
 */
function follows(before, next) {
  if (next.list.version !== before.list.version + 1) return false;
  const places = next.list.owners.map(({ id }) => before.list.owners.findIndex((owner) => owner.id === id));
  return places.every((place, i) => (place < 0 ? places.slice(i).every((each) => each < 0) : i === 0 || place > places[i - 1]));
}

/**
 * Whether a weightier list, made without knowledge of this one, takes the
 * ownership from whoever signed this one.
 *
 * @param {Node} node
 * @param {Node[]} weightier
 */
function overruled(node, weightier) {
  const { signer } = node.signed;
  return weightier.some(
    (other) =>
      other.valid && other.weight < node.weight && removes(other, signer) && !comesFrom(other, node) && !comesFrom(node, other) &&
      (!other.gap || removes(node, other.signed.signer)),
  );
}

/** @param {Node} node @param {string} peer */
function removes({ signed, parent }, peer) {
  return parent !== null && owns(parent.signed, peer) && !owns(signed, peer);
}

/** @param {Node} node @param {Node} other @returns {boolean} whether node is other, or was made of it */
function comesFrom(node, other) {
  for (let each = /** @type {Node | null} */ (node); each; each = each.parent) if (each === other) return true;
  return false;
}

/** @param {SignedList} signed @param {string} peer */
export function owns({ list }, peer) {
  return list.owners.some(({ id }) => id === peer);
}
