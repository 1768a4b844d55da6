/**
 * One request of HTTP/1.1 and what comes back.
 */
import { HttpError, ResponseParser } from './response.js';

/** @typedef {import('./encoding.js').Bytes} Bytes */

/** How much of a response is held unread, in bytes. */
export const receiveWindow = 1024 * 1024;

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

/** A request under way and its response. */
export class Exchange {
  /** @type {ResponseParser} */ #parser;
  /** @type {{ onTaken: () => void, onFinish: (reusable: boolean) => void }} */ #owner;
  /** @type {PromiseWithResolvers<HttpResponse>} */ #head = withResolvers();
  /** @type {ReadableStreamDefaultController<Bytes> | null} */ #body = null;
  /** @type {Bytes[]} what has arrived and is not read */ #queue = [];
  /** @type {() => void} a reader that waits */ #wanted = () => {};
  #keepAlive = false;
  #complete = false;
  unread = 0;
  over = false;

  /**
   * @param {string} method
   * @param {{ onTaken: () => void, onFinish: (reusable: boolean) => void }} owner
   */
  constructor(method, owner) {
    this.#owner = owner;
    this.#parser = new ResponseParser(method, {
      onHead: (head) => this.#begin(head),
      onBody: (bytes) => {
        // The bytes belong to the message they came in, which may be larger.
        this.#queue.push(bytes.slice());
        this.unread += bytes.length;
        if (this.unread > receiveWindow * 16) throw new HttpError('the answer arrives faster than it is read');
        this.#wanted();
      },
      onEnd: () => {
        this.#complete = true;
        this.#wanted();
        this.#settle();
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
    if (!this.#complete) this.#guard(() => this.#parser.end());
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
        pull: () => this.#pull(),
        cancel: () => this.#finish(false),
      },
      { highWaterMark: 0 },
    );
    this.#head.resolve(new HttpResponse(head, body));
  }

  /** Gives a reader the next piece, or waits for one. @returns {Promise<void>} */
  async #pull() {
    while (this.#queue.length === 0 && !this.#complete && !this.over) {
      await new Promise((resolve) => (this.#wanted = () => resolve(undefined)));
    }
    const next = this.#queue.shift();
    if (next) {
      this.unread -= next.length;
      this.#body?.enqueue(next);
      this.#owner.onTaken();
    } else if (this.#complete) this.#body?.close();
    this.#settle();
  }

  /** The exchange is over when the response is complete and read. */
  #settle() {
    if (this.#complete && this.#queue.length === 0) this.#finish(this.#keepAlive);
  }

  /** @param {boolean} reusable */
  #finish(reusable) {
    if (this.over) return;
    this.over = true;
    if (!reusable) this.#body = this.#complete ? this.#body : null;
    this.#wanted();
    this.#owner.onFinish(reusable);
  }
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
