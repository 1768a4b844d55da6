/**
 * Which publishers belong to one home, as far as a guest has to know: a grant
 * for the whole home is shown to them and to nobody else, because it says who
 * gave it.
 */
import { isPeerId } from './peerid.js';

/** Publishers of a home, by the protocol. */
const most = 64;

const prefix = 'places/';

/**
 * @param {import('./vault.js').Vault} vault
 * @param {string} peer
 * @returns {Promise<string>} the home it belongs to; empty if that is not known
 */
export async function placeOf(vault, peer) {
  return (await vault.get(prefix + peer)) ?? '';
}

/**
 * Remembers the publishers that a publisher names as those of its home. It is
 * believed if it gave this browser a grant for that whole home when the secret of
 * an invite was proved to it; and never about a publisher that is known to be
 * elsewhere.
 *
 * @param {import('./vault.js').Vault} vault
 * @param {import('./passes.js').Passes} passes
 * @param {string} peer who says it
 * @param {import('./trust.js').Me} me
 */
export async function learnPlaces(vault, passes, peer, me) {
  if (me.role !== 'guest' || !Array.isArray(me.places) || (await placeOf(vault, peer)) !== me.home) return;
  const held = await passes.for(peer, me.home);
  if (!held.some(({ from, grant }) => from === peer && grant.aud === me.home && grant.cameras.includes('*'))) return;
  for (const place of me.places.slice(0, most)) {
    if (isPeerId(place?.id)) await vault.update(prefix + place.id, (/** @type {string | undefined} */ known) => known ?? me.home);
  }
}
