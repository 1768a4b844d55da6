/** Peers for tests: identities of their own, and what others need to reach them. */
import { fromBase64Url } from '../static/encoding.js';
import { fromKeyPairs, newKeyPairs } from '../static/identity.js';
import { importAgreementPoint, seal } from '../static/jwe.js';

/** @returns {Promise<import('../static/identity.js').Identity>} */
export async function someone() {
  return fromKeyPairs(await newKeyPairs(crypto.subtle), crypto.subtle, true);
}

/** The key that others seal with. */
export async function keyOf({ agreementKey: text }) {
  return { text, key: await importAgreementPoint(fromBase64Url(text)) };
}

/** Seals text to an identity. */
export async function sealTo(identity, text) {
  return seal((await keyOf(identity)).key, text);
}
