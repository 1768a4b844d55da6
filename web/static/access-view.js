/**
 * @typedef {object} Owner
 * @property {string} id PeerID
 * @property {string} name
 * @property {string} device
 * @property {boolean} you
 * @property {boolean} pending invited as an owner, and not yet in an access list
 *
 * @typedef {object} Guest
 * @property {string} jti of the grant; revoke(jti) takes this one away
 * @property {string} peer PeerID; revoke(peer) takes everything away
 * @property {string} name
 * @property {string} device
 * @property {import('./trust.js').Right[]} rights
 * @property {string[]} cameras "*", "<PeerID>/*" or "<PeerID>/<camera id>"
 * @property {number} expires Unix seconds; 0: until it is revoked
 * @property {number} lapses Unix seconds after which nothing is left of it, as its root has signed; 0: never, or not known
 * @property {string} root PeerID of whoever signed what it all comes from; empty if the publisher does not show the grant
 * @property {boolean} revoked
 * @property {string} lastSeen RFC 3339, or empty
 *
 * @typedef {object} OpenInvite an invite that nobody has used yet
 * @property {string} jti for removeInvite
 * @property {string} name
 * @property {import('./trust.js').Right[]} rights
 * @property {string[]} cameras
 * @property {boolean} owner
 * @property {number} expires Unix seconds
 *
 * @typedef {object} Reach one publisher of the home, and whether it has the newest list
 * @property {string} id PeerID
 * @property {string} name
 * @property {'agent' | 'recorder'} kind
 * @property {'has it' | 'not reached yet' | 'asking' | 'refused'} state
 * @property {string} problem why not, as a sentence; empty if there is none
 *
 * @typedef {object} AccessView
 * @property {string} home empty as long as there is no access list
 * @property {number} version of the access list; 0 if there is none
 * @property {boolean} conflict two owners have signed different lists; the next change by an owner who has
 *   seen both settles it
 * @property {Owner[]} owners in order of seniority
 * @property {Guest[]} guests
 * @property {OpenInvite[]} invites
 * @property {Reach[]} publishers
 * @property {string[]} revokedHere grants and peers that were revoked on the device itself, there only
 */

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
