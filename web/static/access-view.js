/**
 * Who has access, as a page shows it.
 *
 * @param {import('./access-state.js').AccessState} access what the publisher says
 * @param {import('./home.js').Home | null} home what this browser knows
 * @param {import('./trust.js').Reach[]} publishers
 * @param {string} self this browser's PeerID
 * @returns {import('./trust.js').AccessView}
 */
export function viewOf(access, home, publishers, self) {
  const { list } = access;
  const listed = list?.list.owners ?? access.owners;
  const inForce = new Set(access.owners.map(({ id }) => id));
  const owners = listed
    .filter(({ id }) => inForce.size === 0 || inForce.has(id))
    .map(({ id, name, device }) => ({ id, name, device, you: id === self, pending: false }));
  const known = new Set(owners.map(({ id }) => id));
  const pending = access.pending
    .filter(({ id }) => !known.has(id))
    .map(({ id, name, device }) => ({ id, name, device, you: id === self, pending: true }));
  return {
    home: list?.list.home ?? '',
    version: list?.list.version ?? 0,
    conflict: access.conflict || (home?.forked ?? false),
    owners: [...owners, ...pending],
    guests: access.grants,
    invites: access.invites,
    publishers: home ? publishers : (list?.list.publishers ?? []).map(({ id, name, kind }) => ({ id, name, kind, state: 'not reached yet', problem: '' })),
    revokedHere: access.revokedHere,
  };
}
