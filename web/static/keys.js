/**
 * Key statements: a peer's signature over the key that others encrypt to. The
 * signaling service hands them out; it can keep an old one, and nobody but the
 * peer can make one.
 */
import { isToken, fromBase64Url } from './encoding.js';
import { importAgreementPoint } from './jwe.js';
import { sign, verify } from './jws.js';
import { parseStrict } from './strict-json.js';

/**
 * A peer's key for encrypting to it, as others write it and as WebCrypto takes it.
 *
 * @typedef {{ text: string, key: CryptoKey }} AgreementKey
 */

/** Longest key statement, in characters. */
export const maxStatementLength = 1024;

/** A key statement that is not the peer's. */
export class KeyStatementError extends Error {
  name = 'KeyStatementError';
}

/** @param {import('./identity.js').Identity} identity @returns {Promise<string>} */
export function keyStatement(identity) {
  return sign(identity, JSON.stringify({ type: 'keys', id: identity.peerId, agreement: identity.agreementKey }));
}

/**
 * @param {string} compact
 * @param {string} of the peer whose statement it must be
 * @returns {Promise<AgreementKey>} what to seal messages to it with
 * @throws {KeyStatementError}
 */
export async function openKeyStatement(compact, of) {
  if (typeof compact !== 'string' || compact.length > maxStatementLength) {
    throw new KeyStatementError('the key statement is too long');
  }
  try {
    const { payload, from } = await verify(compact);
    const statement = parseStrict(payload);
    const { type, id, agreement, ...rest } = statement;
    if (type !== 'keys' || Object.keys(rest).length > 0) throw new KeyStatementError('the key statement says something else');
    if (from !== of || id !== of) throw new KeyStatementError('the key statement is signed by another peer');
    if (!isToken(agreement, 65)) throw new KeyStatementError('the key statement has no key');
    return { text: agreement, key: await importAgreementPoint(fromBase64Url(agreement)) };
  } catch (error) {
    if (error instanceof KeyStatementError) throw error;
    throw new KeyStatementError('the key statement is malformed', { cause: error });
  }
}
