/**
 * HTTP/1.1 over WebRTC data channels: one channel labelled "http" is one
 * connection, which carries one request at a time and may be used again.
 */
import { utf8 } from './encoding.js';
import { HttpError, ResponseParser } from './response.js';

export { HttpError } from './response.js';

/** @typedef {import('./encoding.js').Bytes} Bytes */

/** Largest message on a data channel, in bytes; every implementation takes this much. */
export const maxMessageBytes = 16 * 1024;

/** A writer waits while the channel holds more than this, in bytes. */
const highWater = 256 * 1024;
const lowWater = 64 * 1024;

/**
 * A data channel cannot be told to wait, so what a slow reader has not taken
 * is held here, up to this many bytes; then the connection is closed.
 */
export const maxUnreadBytes = 16 * 1024 * 1024;

/** An idle connection is used again within this time, in milliseconds. */
const idleMs = 20_000;
const maxIdle = 4;

/**
 * The part of RTCDataChannel that a connection needs.
 *
 * @typedef {Pick<RTCDataChannel, 'readyState' | 'bufferedAmount' | 'bufferedAmountLowThreshold' | 'binaryType' |
 *   'close' | 'addEventListener' | 'removeEventListener'> & { send(data: Bytes): void }} Channel
 *
 * @typedef {object} RequestOptions
 * @property {string} [method] default GET
 * @property {Record<string, string>} [headers]
 * @property {string | Bytes | ReadableStream<Bytes>} [body]
 * @property {AbortSignal} [signal]
 */

/** A response whose body may still be arriving. */
export class HttpResponse {
  /**
   * @param {import('./response.js').ResponseHead} head
   * @param {ReadableStream<Bytes>} body
   */
  constructor(head, body) {
    this.status = head.status;
    this.headers = head.headers;
    this.body = body;
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** @param {number} [limit] most bytes, default 4 MiB @returns {Promise<string>} */
  async text(limit = 4 * 1024 * 1024) {
    const decoder = new TextDecoder();
    let text = '';
    let size = 0;
    const reader = this.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return text + decoder.decode();
      size += value.length;
      if (size > limit) {
        await reader.cancel();
        throw new HttpError('the answer is too long');
      }
      text += decoder.decode(value, { stream: true });
    }
  }

  /** @returns {Promise<any>} */
  async json() {
    const text = await this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new HttpError('the answer is not JSON', { cause: error });
    }
  }
}

/** Requests to one publisher, over as many channels as run at once. */
export class HttpClient {
  /** @type {() => Channel} */ #open;
  #host;
  /** @type {{ connection: HttpConnection, since: number }[]} */ #idle = [];
  /** @type {Set<HttpConnection>} */ #busy = new Set();
  #closed = false;

  /**
   * @param {{ open: () => Channel, host: string }} options
   *   open makes a data channel; host is the value of the Host field
   */
  constructor({ open, host }) {
    this.#open = open;
    this.#host = host;
  }

  /**
   * Sends a request and returns when the head of the response is there.
   * A GET that meets a connection the other side has just closed is sent
   * once more on a new one.
   *
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<HttpResponse>}
   */
  async request(path, options = {}) {
    if (this.#closed) throw new HttpError('the connection to the agent is closed');
    const used = this.#takeIdle();
    if (used) {
      try {
        return await this.#exchange(used, path, options);
      } catch (error) {
        const idempotent = (options.method ?? 'GET') === 'GET';
        if (!idempotent || used.answered || options.signal?.aborted || this.#closed) throw error;
      }
    }
    return this.#exchange(new HttpConnection(this.#open(), this.#host), path, options);
  }

  /** Closes every connection; what is under way fails. */
  close() {
    this.#closed = true;
    for (const { connection } of this.#idle) connection.close();
    for (const connection of this.#busy) connection.close();
    this.#idle = [];
  }

  /**
   * @param {HttpConnection} connection
   * @param {string} path
   * @param {RequestOptions} options
   * @returns {Promise<HttpResponse>}
   */
  async #exchange(connection, path, options) {
    this.#busy.add(connection);
    try {
      return await connection.request(path, options, (reusable) => {
        this.#busy.delete(connection);
        if (!reusable || this.#closed || this.#idle.length >= maxIdle) connection.close();
        else this.#idle.push({ connection, since: performance.now() });
      });
    } catch (error) {
      this.#busy.delete(connection);
      connection.close();
      throw error;
    }
  }

  /** @returns {HttpConnection | undefined} */
  #takeIdle() {
    for (;;) {
      const entry = this.#idle.pop();
      if (!entry) return undefined;
      if (entry.connection.open && performance.now() - entry.since < idleMs) return entry.connection;
      entry.connection.close();
    }
  }
}

/** One connection: one data channel, one request at a time. */
export class HttpConnection {
  /** @type {Channel} */ #channel;
  #host;
  /** @type {Exchange | null} */ #exchange = null;
  #answered = false;

  /**
   * @param {Channel} channel
   * @param {string} host
   */
  constructor(channel, host) {
    this.#channel = channel;
    this.#host = host;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = lowWater;
    channel.addEventListener('message', (event) => this.#receive(/** @type {MessageEvent} */ (event).data));
    channel.addEventListener('close', () => this.#exchange?.cut());
    channel.addEventListener('error', () => this.#exchange?.cut());
  }

  get open() {
    return this.#channel.readyState === 'open';
  }

  /** Whether any byte of an answer to the last request has arrived. */
  get answered() {
    return this.#answered;
  }

  /**
   * @param {string} path
   * @param {RequestOptions} options
   * @param {(reusable: boolean) => void} onFinish called once, when the exchange is over
   * @returns {Promise<HttpResponse>}
   */
  async request(path, { method = 'GET', headers = {}, body, signal }, onFinish) {
    signal?.throwIfAborted();
    this.#answered = false;
    const exchange = new Exchange(method, (reusable) => {
      this.#exchange = null;
      signal?.removeEventListener('abort', abort);
      onFinish(reusable && this.open);
    });
    const abort = () => exchange.fail(signal?.reason);
    this.#exchange = exchange;
    signal?.addEventListener('abort', abort);
    this.#send(requestHead(method, path, this.#host, headers, body), body, exchange).catch((error) =>
      exchange.fail(error),
    );
    return exchange.response;
  }

  close() {
    this.#exchange?.fail(new HttpError('the connection to the agent is closed'));
    this.#channel.close();
  }

  /** @param {unknown} data */
  #receive(data) {
    if (!this.#exchange) return this.close();
    this.#answered = true;
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : utf8(String(data));
    this.#exchange.push(bytes);
  }

  /**
   * @param {string} head
   * @param {RequestOptions['body']} body
   * @param {Exchange} exchange
   */
  async #send(head, body, exchange) {
    await this.#opened();
    await this.#write(utf8(head), exchange);
    if (body instanceof ReadableStream) {
      const reader = /** @type {ReadableStream<Bytes>} */ (body).getReader();
      try {
        for (;;) {
          const { value, done } = await reader.read();
          if (done) break;
          if (value.length === 0) continue;
          await this.#write(utf8(`${value.length.toString(16)}\r\n`), exchange);
          await this.#write(value, exchange);
          await this.#write(utf8('\r\n'), exchange);
        }
      } finally {
        await reader.cancel().catch(() => {});
      }
      await this.#write(utf8('0\r\n\r\n'), exchange);
    } else if (body !== undefined) {
      await this.#write(typeof body === 'string' ? utf8(body) : body, exchange);
    }
  }

  /** @param {Bytes} bytes @param {Exchange} exchange */
  async #write(bytes, exchange) {
    for (let at = 0; at < bytes.length; at += maxMessageBytes) {
      if (this.#channel.bufferedAmount > highWater) await this.#event('bufferedamountlow');
      if (exchange.over) return;
      this.#channel.send(bytes.subarray(at, at + maxMessageBytes));
    }
  }

  async #opened() {
    if (this.#channel.readyState === 'connecting') await this.#event('open');
    if (!this.open) throw new HttpError('the connection to the agent is closed');
  }

  /** @param {'open' | 'bufferedamountlow'} name @returns {Promise<void>} */
  #event(name) {
    return new Promise((resolve, reject) => {
      const end = (/** @type {Event} */ event) => {
        for (const each of [name, 'close', 'error']) this.#channel.removeEventListener(each, end);
        if (event.type === name) resolve();
        else reject(new HttpError('the connection to the agent is closed'));
      };
      for (const each of [name, 'close', 'error']) this.#channel.addEventListener(each, end);
    });
  }
}

/** A request under way and its response. */
class Exchange {
  /** @type {ResponseParser} */ #parser;
  /** @type {(reusable: boolean) => void} */ #onFinish;
  /** @type {PromiseWithResolvers<HttpResponse>} */ #head = withResolvers();
  /** @type {ReadableStreamDefaultController<Bytes> | null} */ #body = null;
  #keepAlive = false;
  over = false;

  /**
   * @param {string} method
   * @param {(reusable: boolean) => void} onFinish
   */
  constructor(method, onFinish) {
    this.#onFinish = onFinish;
    this.#parser = new ResponseParser(method, {
      onHead: (head) => this.#begin(head),
      onBody: (bytes) => this.#take(bytes),
      onEnd: () => {
        this.#body?.close();
        this.#finish(this.#keepAlive);
      },
    });
  }

  /** @returns {Promise<HttpResponse>} */
  get response() {
    return this.#head.promise;
  }

  /** @param {Bytes} bytes */
  push(bytes) {
    this.#guard(() => this.#parser.push(bytes));
  }

  /** The other side has closed the connection. */
  cut() {
    this.#guard(() => this.#parser.end());
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.over) return;
    this.#head.reject(error);
    this.#body?.error(error);
    this.#finish(false);
  }

  /** @param {() => void} action */
  #guard(action) {
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {import('./response.js').ResponseHead} head */
  #begin(head) {
    this.#keepAlive = head.keepAlive;
    const body = new ReadableStream(
      {
        start: (controller) => void (this.#body = controller),
        cancel: () => {
          this.#body = null;
          this.#finish(false);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: maxUnreadBytes }),
    );
    this.#head.resolve(new HttpResponse(head, body));
  }

  /** @param {Bytes} bytes */
  #take(bytes) {
    if (this.over || !this.#body) return;
    // The bytes belong to the message they came in, which may be large.
    this.#body.enqueue(bytes.slice());
    if ((this.#body.desiredSize ?? 0) < 0) throw new HttpError('the answer arrives faster than it is read');
  }

  /** @param {boolean} reusable */
  #finish(reusable) {
    if (this.over) return;
    this.over = true;
    this.#onFinish(reusable);
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {string} host
 * @param {Record<string, string>} headers
 * @param {RequestOptions['body']} body
 * @returns {string}
 */
function requestHead(method, path, host, headers, body) {
  /** @type {Record<string, string>} */
  const all = { Host: host, Accept: '*/*', ...headers };
  if (typeof body === 'string') all['Content-Length'] = String(utf8(body).length);
  else if (body instanceof Uint8Array) all['Content-Length'] = String(body.length);
  else if (body !== undefined) all['Transfer-Encoding'] = 'chunked';
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const head = [`${method} ${path} HTTP/1.1`, ...lines];
  if (!/^[A-Z]+ \/[!-~]* HTTP\/1\.1$/.test(head[0]) || lines.some((line) => /[\r\n\0]/.test(line))) {
    throw new HttpError('the request has a malformed line');
  }
  return `${head.join('\r\n')}\r\n\r\n`;
}

/**
 * @template T
 * @returns {PromiseWithResolvers<T>}
 */
function withResolvers() {
  /** @type {any} */
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  // Whoever waits sees the failure; nobody waiting is no fault.
  parts.promise.catch(() => {});
  return parts;
}
