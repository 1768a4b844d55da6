/**
 * Waiting times between attempts: they double up to a limit and are spread at
 * random, so that a thousand viewers do not come back in the same moment.
 */
export class Backoff {
  #attempt = 0;

  /**
   * @param {{ firstMs?: number, limitMs?: number, random?: () => number }} [options]
   *   firstMs: longest first wait, default 500; limitMs: longest wait at all, default 15 s
   */
  constructor({ firstMs = 500, limitMs = 15_000, random = Math.random } = {}) {
    this.firstMs = firstMs;
    this.limitMs = limitMs;
    this.random = random;
  }

  /** @returns {number} milliseconds until the next attempt, between half and all of the step */
  next() {
    const step = Math.min(this.limitMs, this.firstMs * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 30);
    return step * (0.5 + this.random() / 2);
  }

  /** After a success the next failure waits the first step again. */
  reset() {
    this.#attempt = 0;
  }
}

/**
 * Waits; an aborted signal ends the wait early without an error.
 *
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}

/**
 * Waits for an event after which condition holds, at most ms milliseconds.
 *
 * @param {EventTarget} target
 * @param {string} event
 * @param {() => boolean} condition
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function until(target, event, condition, ms) {
  return new Promise((resolve) => {
    const check = () => {
      if (condition()) end();
    };
    const end = () => {
      clearTimeout(timer);
      target.removeEventListener(event, check);
      resolve();
    };
    const timer = setTimeout(end, ms);
    target.addEventListener(event, check);
  });
}
