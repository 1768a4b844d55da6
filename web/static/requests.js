import { SessionError } from './session-error.js';

/**
 * Makes a session that carries requests and no media.
 *
 * @param {typeof import('./session.js').Session.connect} connect
 * @param {Omit<import('./session.js').SessionOptions, 'cameras'>} options
 * @returns {Promise<import('./session.js').Session>}
 * @throws {SessionError}
 */
export async function openForRequests(connect, options) {
  try {
    return await connect({ ...options, cameras: [] });
  } catch (error) {
    // The publisher has said what time it is: once more, by that.
    const again = error instanceof SessionError && error.code === 'expired' && options.clockOffsetMs === undefined;
    if (!again) throw error;
    return openForRequests(connect, { ...options, clockOffsetMs: error.clockOffsetMs });
  }
}
