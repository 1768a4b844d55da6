/**
 * Reaches a publisher by whichever way works: through the signaling service, or
 * directly where that does not answer.
 */
import { pause } from './backoff.js';
import { SessionError } from './session-error.js';
import { Session } from './session.js';

/** The publisher is dialled directly after this long without the service, in milliseconds. */
const patienceMs = 1_000;

/** What went wrong when a direct dial is worth it: the service or the way to the publisher through it. */
const worthIt = new Set(['no-signaling', 'no-answer', 'unreachable', 'rate_limited', 'server_busy']);

/**
 * @param {import('./session.js').SessionOptions} options
 * @param {Pick<typeof Session, 'connect' | 'dial'>} [ways]
 * @returns {Promise<Session>}
 * @throws {SessionError} what the service's way has met
 */
export async function reach(options, ways = Session) {
  const over = new AbortController();
  const common = { ...options, signal: AbortSignal.any([options.signal, over.signal]) };
  const byService = ways.connect(common);
  const outcome = byService.then(() => '', (error) => (error instanceof SessionError ? error.code : 'internal'));
  const early = pause(patienceMs, over.signal).then(() => (options.signaling.state === 'online' ? outcome : 'no-signaling'));
  const code = await Promise.race([outcome, early]);
  if (!worthIt.has(code) || !(await options.book?.ticket(options.peer))) return byService.finally(() => over.abort());
  const tries = [byService, ways.dial(common)];
  try {
    const winner = await Promise.any(tries);
    for (const each of tries) each.then((session) => session !== winner && session.close(), () => {});
    return winner;
  } catch {
    return await byService; // What people can act on is why the usual way fails.
  } finally {
    over.abort();
  }
}
