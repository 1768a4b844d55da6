/**
 * HTTP/1.1 over WebRTC data channels: one channel labelled "http" is one
 * connection, which carries one request at a time and may be used again.
 */
import { utf8 } from './encoding.js';
import { Exchange, HttpResponse, receiveWindow } from './exchange.js';
import { HttpError } from './response.js';

export { HttpError, HttpResponse, receiveWindow };

/** @typedef {import('./encoding.js').Bytes} Bytes */

/** Largest message on a data channel, in bytes; every implementation takes this much. */
export const maxMessageBytes = 16 * 1024;

/** A writer waits while the channel holds more than this, in bytes. */
const highWater = 256 * 1024;
const lowWater = 64 * 1024;

/**
 * The data channel protocol that adds flow control to one channel: text
 * messages "window N" tell how many bytes the other side may send in all, and
 * "fin" that nothing more comes. Without it one unread download would fill the
 * window that all channels of a session share.
 */
export const windowProtocol = 'sightline.window.v1';

/** What each side may send before the first window message, in bytes. */
export const initialWindow = 64 * 1024;

/** An agent that was told that nothing more is read resets the channel within this time, in milliseconds. */
const finMs = 10_000;

/** An idle connection is used again within this time, in milliseconds. */
const idleMs = 20_000;
const maxIdle = 4;

const closedMessage = 'the connection to the agent is closed';

/**
 * The part of RTCDataChannel that a connection needs.
 *
 * @typedef {Pick<RTCDataChannel, 'readyState' | 'protocol' | 'bufferedAmount' | 'bufferedAmountLowThreshold' |
 *   'binaryType' | 'close' | 'addEventListener' | 'removeEventListener'> & { send(data: Bytes | string): void }} Channel
 *
 * @typedef {object} RequestOptions
 * @property {string} [method] default GET
 * @property {Record<string, string>} [headers]
 * @property {string | Bytes | ReadableStream<Bytes>} [body]
 * @property {AbortSignal} [signal]
 */

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
    if (this.#closed) throw new HttpError(closedMessage);
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
  #windowed;
  /** @type {Exchange | null} */ #exchange = null;
  #answered = false;
  /** Flow control: bytes since the channel was opened. */
  #sent = 0;
  #maySend = Infinity;
  #received = 0;
  #granted = Infinity;
  /** @type {() => void} */ #wake = () => {};
  /** Whether it is closed on this side. */
  #leaving = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #patience;

  /**
   * @param {Channel} channel
   * @param {string} host
   */
  constructor(channel, host) {
    this.#channel = channel;
    this.#host = host;
    this.#windowed = channel.protocol === windowProtocol;
    if (this.#windowed) this.#maySend = this.#granted = initialWindow;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = lowWater;
    channel.addEventListener('message', (event) => this.#receive(/** @type {MessageEvent} */ (event).data));
    for (const name of ['open', 'bufferedamountlow']) channel.addEventListener(name, () => this.#wake());
    for (const name of ['close', 'error']) channel.addEventListener(name, () => this.#cut());
  }

  get open() {
    return this.#channel.readyState === 'open' && !this.#leaving;
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
    const head = requestHead(method, path, this.#host, headers, body);
    this.#answered = false;
    let sent = false;
    const abort = () => exchange.fail(signal?.reason);
    const exchange = new Exchange(method, {
      onTaken: () => this.#grant(),
      onFinish: (reusable) => {
        this.#exchange = null;
        signal?.removeEventListener('abort', abort);
        this.#wake();
        onFinish(reusable && sent && this.open);
      },
    });
    this.#exchange = exchange;
    signal?.addEventListener('abort', abort);
    this.#send(head, body, exchange).then(
      () => (sent = true),
      (error) => exchange.fail(error),
    );
    return exchange.response;
  }

  /**
   * Ends the connection. The other side stops sending when it is told, and then
   * resets the channel. If this side did so at once, a message that is under way
   * would arrive on a stream that has begun anew, and be held for good: a browser
   * ends the session when it holds too many (requests.md, "Why fin").
   */
  close() {
    this.#exchange?.fail(new HttpError(closedMessage));
    if (this.#leaving) return undefined;
    if (!this.open || !this.#windowed) return this.#reset();
    this.#channel.send('fin');
    this.#leaving = true;
    this.#patience = setTimeout(() => this.#reset(), finMs);
    return undefined;
  }

  #reset() {
    clearTimeout(this.#patience);
    this.#leaving = true;
    this.#channel.close();
    this.#exchange?.fail(new HttpError(closedMessage));
  }

  #cut() {
    clearTimeout(this.#patience);
    this.#exchange?.cut();
    this.#wake();
  }

  /** @param {unknown} data */
  #receive(data) {
    if (typeof data === 'string' && this.#windowed) return this.#control(data);
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : utf8(String(data));
    this.#received += bytes.length;
    if (this.#leaving) return;
    if (!this.#exchange || this.#received > this.#granted) return this.#reset();
    this.#answered = true;
    this.#exchange.push(bytes);
    this.#grant();
  }

  /** @param {string} text */
  #control(text) {
    const window = /^window ([0-9]{1,16})$/.exec(text);
    if (window) {
      this.#maySend = Math.max(this.#maySend, Number(window[1]));
      this.#wake();
      return;
    }
    if (text === 'fin') this.#cut();
    this.#reset();
  }

  /** Lets the other side send as much again as was read. */
  #grant() {
    if (!this.#windowed || !this.open) return;
    const window = this.#received - (this.#exchange?.unread ?? 0) + receiveWindow;
    if (window - this.#granted < receiveWindow / 4) return;
    this.#granted = window;
    this.#channel.send(`window ${window}`);
  }

  /**
   * @param {string} head
   * @param {RequestOptions['body']} body
   * @param {Exchange} exchange
   */
  async #send(head, body, exchange) {
    await this.#write(utf8(head), exchange);
    if (typeof body === 'string') return this.#write(utf8(body), exchange);
    if (body instanceof Uint8Array) return this.#write(body, exchange);
    if (body === undefined) return undefined;
    const reader = /** @type {ReadableStream<Bytes>} */ (body).getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || exchange.over) break;
        if (value.length === 0) continue;
        await this.#write(utf8(`${value.length.toString(16)}\r\n`), exchange);
        await this.#write(value, exchange);
        await this.#write(utf8('\r\n'), exchange);
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
    return this.#write(utf8('0\r\n\r\n'), exchange);
  }

  /**
   * Sends bytes in messages of bounded size, waiting while the channel or the
   * other side is full.
   *
   * @param {Bytes} bytes
   * @param {Exchange} exchange
   */
  async #write(bytes, exchange) {
    for (let at = 0; at < bytes.length; ) {
      while (this.#mustWait() && !exchange.over) await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      if (exchange.over) return;
      if (!this.open) throw new HttpError(closedMessage);
      const size = Math.min(maxMessageBytes, bytes.length - at, this.#maySend - this.#sent);
      this.#channel.send(bytes.subarray(at, at + size));
      this.#sent += size;
      at += size;
    }
  }

  #mustWait() {
    if (this.#channel.readyState === 'connecting') return true;
    return this.open && (this.#channel.bufferedAmount > highWater || this.#sent >= this.#maySend);
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
