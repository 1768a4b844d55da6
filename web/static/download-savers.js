/**
 * The ways in which a page saves a file that comes in pieces.
 */

/**
 * @typedef {import('./encoding.js').Bytes} Bytes
 * @typedef {import('./download.js').FileHead} FileHead
 * @typedef {import('./download.js').Saver} Saver
 */

/** A file that cannot be saved; the message is a sentence. */
export class SaveError extends Error {
  name = 'SaveError';
}

/** A worker that does not answer within this time is taken for none, in milliseconds. */
const workerMs = 2_000;

/** A worker lives on as long as it hears something; in milliseconds. */
const aliveMs = 8_000;

/** Bytes go to the worker in pieces of this size. */
const pieceBytes = 256 * 1024;

/** Up to here a file is held in memory where nothing else is left, in bytes. */
const memoryBytes = 256 * 1024 * 1024;

/**
 * Finds the best way to save a file.
 *
 * @param {FileHead} head
 * @returns {Promise<Saver | null>} null if the browser fetches it by itself
 * @throws {SaveError}
 */
export async function saverFor(head) {
  const worker = await activeWorker();
  const saver = worker && (await WorkerSaver.open(worker, head));
  if (saver) return saver;
  if (await servedHere(head)) {
    click(head.path, head.name);
    return null;
  }
  if (head.size <= memoryBytes) return new MemorySaver(head);
  throw new SaveError('This browser cannot save so large a file. Choose a shorter range, or reload the page and try again.');
}

/** @returns {Promise<ServiceWorker | null>} */
async function activeWorker() {
  const registration = await globalThis.navigator?.serviceWorker?.getRegistration().catch(() => undefined);
  return registration?.active ?? null;
}

/**
 * Whether the page's own server has the very same file: then it is the recorder,
 * and lets this browser in.
 *
 * @param {FileHead} head
 */
async function servedHere({ path, size, tag }) {
  try {
    const { ok, headers } = await fetch(path, { method: 'HEAD', redirect: 'error' });
    return ok && tag !== '' && headers.get('etag') === tag && headers.get('content-length') === String(size);
  } catch {
    return false;
  }
}

/**
 * Follows a link without leaving the page: what it leads to is saved.
 *
 * @param {string} href
 * @param {string} [name] of the file, where the answer does not say that it is one
 */
function click(href, name) {
  const link = document.createElement('a');
  link.href = href;
  if (name !== undefined) link.download = name;
  link.click();
}

/** By the service worker (sw.js), which answers a request of the browser with the bytes. */
export class WorkerSaver {
  #port;
  #cancelled = new AbortController();
  /** @type {ReturnType<typeof setInterval>} */ #ticker;
  /** Pieces that the worker has room for. */
  #room = 0;
  /** @type {() => void} */ #wake = () => {};
  /** @type {Bytes[]} */ #parts = [];
  #size = 0;

  /**
   * @param {ServiceWorker} worker
   * @param {FileHead} head
   * @returns {Promise<WorkerSaver | null>} null if the worker does not know how
   */
  static async open(worker, { name, type, size }) {
    const { port1, port2 } = new MessageChannel();
    const id = crypto.randomUUID();
    const answered = new Promise((resolve) => {
      port1.onmessage = () => resolve(true);
      setTimeout(resolve, workerMs, false);
    });
    worker.postMessage({ download: { id, name, type, size } }, [port2]);
    if (!(await answered)) {
      port1.close();
      return null;
    }
    const saver = new WorkerSaver(port1, worker);
    click(`/download/${id}/${encodeURIComponent(name)}`);
    return saver;
  }

  /** @param {MessagePort} port @param {ServiceWorker} worker */
  constructor(port, worker) {
    this.#port = port;
    this.#ticker = setInterval(() => worker.postMessage({ alive: true }), aliveMs);
    port.onmessage = ({ data }) => {
      if (data.cancel) this.#cancelled.abort();
      else this.#room += 1;
      this.#wake();
    };
  }

  get cancelled() {
    return this.#cancelled.signal;
  }

  /** @param {Bytes} bytes */
  async write(bytes) {
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= pieceBytes) await this.#flush();
  }

  async finish() {
    if (this.#size > 0) await this.#flush();
    this.#end({ done: true });
  }

  /** @param {string} reason */
  abort(reason) {
    this.#end({ failed: reason });
  }

  async #flush() {
    while (this.#room === 0 && !this.cancelled.aborted) await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    this.cancelled.throwIfAborted();
    this.#room -= 1;
    const piece = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      piece.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#size = 0;
    this.#port.postMessage({ bytes: piece }, [piece.buffer]);
  }

  /** @param {object} message */
  #end(message) {
    clearInterval(this.#ticker);
    this.#port.postMessage(message);
  }
}

/** In memory, for browsers without the worker. */
export class MemorySaver {
  /** @type {Blob[]} which browsers put on disk where there are many */ #parts = [];
  #head;
  cancelled = new AbortController().signal;

  /** @param {FileHead} head */
  constructor(head) {
    this.#head = head;
  }

  /** @param {Bytes} bytes */
  async write(bytes) {
    this.#parts.push(new Blob([bytes]));
  }

  async finish() {
    const url = URL.createObjectURL(new Blob(this.#parts, { type: this.#head.type }));
    click(url, this.#head.name);
    // The browser has begun to read it long before.
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.#parts = [];
  }

  abort() {
    this.#parts = [];
  }
}
