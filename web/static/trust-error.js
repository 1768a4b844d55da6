import { AccessListError } from './access-list.js';
import { ApiError } from './api.js';
import { HttpError } from './http1.js';
import { OwnerError } from './owner.js';
import { SessionError } from './session-error.js';
import { SharingError } from './sharing.js';
import { TokenError } from './tokens.js';

/** Something about access did not work; the message is a sentence for a person. */
export class TrustError extends Error {
  name = 'TrustError';

  /**
   * @param {string} code of the publisher (wrong_proof, locked, used, expired, forbidden …) or of a session
   * @param {string} message
   * @param {number} [retryAfterSeconds] with "locked"
   */
  constructor(code, message, retryAfterSeconds = 0) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * Turns every error that is meant for people into a TrustError.
 *
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function explained(action) {
  try {
    return await action();
  } catch (error) {
    if (error instanceof ApiError) throw new TrustError(error.code, error.message, error.retryAfterSeconds);
    if (error instanceof SessionError) throw new TrustError(error.code, error.message);
    if (error instanceof HttpError) {
      console.debug('sightline: a request failed', error);
      throw new TrustError('no-connection', 'The connection to the agent was lost. Try again in a moment.');
    }
    const plain = [OwnerError, SharingError, AccessListError, TokenError].some((kind) => error instanceof kind);
    if (plain && error instanceof Error) throw new TrustError('refused', error.message);
    throw error;
  }
}
