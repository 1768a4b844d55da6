/**
 * The difference between this machine's clock and an agent's, from GET
 * /v1/time. Of several requests the one with the smallest round trip counts:
 * its answer is at most half of that away from the truth.
 */

/**
 * @param {import('./http1.js').HttpClient} http
 * @param {{ rounds?: number, signal?: AbortSignal, now?: () => number }} [options]
 *   rounds default 8; now: milliseconds since 1970, finer than Date.now where possible
 * @returns {Promise<{ offsetMs: number, roundTripMs: number }>} offsetMs is to be added to this clock
 */
export async function measureClock(http, { rounds = 8, signal, now = wallClock } = {}) {
  let best = { offsetMs: 0, roundTripMs: Infinity };
  for (let i = 0; i < rounds; i++) {
    const sent = now();
    const response = await http.request('/v1/time', { signal });
    const { unixMs } = await response.json();
    const roundTripMs = now() - sent;
    if (!response.ok || !Number.isFinite(unixMs)) throw new TypeError('the agent does not tell its time');
    if (roundTripMs < best.roundTripMs) best = { offsetMs: unixMs - (sent + roundTripMs / 2), roundTripMs };
  }
  return best;
}

/** @returns {number} milliseconds since 1970 */
export function wallClock() {
  return performance.timeOrigin + performance.now();
}
