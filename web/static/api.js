/**
 * Requests to a publisher's API, with its refusals as errors that carry a code
 * and a sentence for a person.
 */

/** The publisher refuses a request; the message is a sentence for a person. */
export class ApiError extends Error {
  name = 'ApiError';

  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {number} [retryAfterSeconds] 0 if the publisher does not say
   */
  constructor(status, code, message, retryAfterSeconds = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether what was asked for is not there. */
  get gone() {
    return this.status === 404 || this.status === 410;
  }
}

/**
 * What it takes of a session.
 *
 * @typedef {Pick<import('./http1.js').HttpClient, 'request'>} Http
 *
 * @typedef {object} CallOptions
 * @property {string} [method] default GET
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 */

/**
 * @param {Http} http
 * @param {string} path
 * @param {CallOptions} [options]
 * @returns {Promise<import('./http1.js').HttpResponse>} with a status of success
 * @throws {ApiError}
 */
export async function call(http, path, { method = 'GET', body, headers, signal } = {}) {
  const response = await http.request(path, {
    method,
    signal,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } }),
  });
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  const code = typeof error?.code === 'string' ? error.code : 'refused';
  const message = typeof error?.message === 'string' ? error.message : `The agent refuses it (${response.status}).`;
  const seconds = Number(response.headers.get('retry-after'));
  throw new ApiError(response.status, code, message, Number.isFinite(seconds) && seconds > 0 ? seconds : 0);
}

/**
 * As call, with the answer as JSON.
 *
 * @param {Http} http
 * @param {string} path
 * @param {CallOptions} [options]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function callJson(http, path, options) {
  return (await call(http, path, options)).json();
}
