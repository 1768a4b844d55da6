/**
 * An incremental parser of HTTP/1.1 responses (RFC 9112). It takes bytes as
 * they come, cut anywhere, and refuses whatever is ambiguous.
 */

/** The other side does not speak HTTP/1.1 as it should. */
export class HttpError extends Error {
  name = 'HttpError';
}

/** Longest head (status line and fields) and longest trailer, in bytes. */
export const maxHeadBytes = 16 * 1024;
const maxFields = 100;
const maxChunkLine = 256;

/**
 * @typedef {object} ResponseHead
 * @property {number} status
 * @property {string} reason
 * @property {Map<string, string>} headers names in lower case, repeated fields joined by ", "
 * @property {boolean} keepAlive whether the connection may carry another request
 *
 * @typedef {object} ResponseSink
 * @property {(head: ResponseHead) => void} onHead
 * @property {(bytes: import('./encoding.js').Bytes) => void} onBody
 * @property {() => void} onEnd
 */

/** @typedef {'head' | 'length' | 'chunk' | 'data' | 'gap' | 'trailer' | 'close' | 'done'} ParserState */

export class ResponseParser {
  /** @type {ResponseSink} */ #sink;
  #method;
  /** @type {ParserState} */
  #state = 'head';
  /** @type {number[]} bytes of the line being read */
  #line = [];
  /** @type {string[]} */
  #lines = [];
  #headBytes = 0;
  #left = 0;

  /**
   * @param {string} method of the request that is answered
   * @param {ResponseSink} sink
   */
  constructor(method, sink) {
    this.#method = method;
    this.#sink = sink;
  }

  /** Whether the response is complete. */
  get done() {
    return this.#state === 'done';
  }

  /**
   * Takes the next bytes.
   *
   * @param {import('./encoding.js').Bytes} bytes
   * @throws {HttpError}
   */
  push(bytes) {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'length':
        case 'data':
          at += this.#body(bytes.subarray(at, at + this.#left));
          break;
        case 'close':
          this.#sink.onBody(bytes.subarray(at));
          return;
        case 'done':
          throw new HttpError('there are bytes after the response');
        default:
          at += this.#text(bytes, at);
      }
    }
  }

  /**
   * The connection is closed by the other side.
   *
   * @throws {HttpError} if the response is cut off
   */
  end() {
    if (this.#state === 'close') this.#finish();
    if (this.#state !== 'done') throw new HttpError('the connection closed in the middle of a response');
  }

  /** @param {import('./encoding.js').Bytes} part @returns {number} */
  #body(part) {
    this.#left -= part.length;
    this.#sink.onBody(part);
    if (this.#left === 0) {
      if (this.#state === 'length') this.#finish();
      else this.#state = 'gap';
    }
    return part.length;
  }

  /**
   * Collects a line and handles it when it is complete.
   *
   * @param {Uint8Array} bytes
   * @param {number} at
   * @returns {number} bytes used
   */
  #text(bytes, at) {
    const found = bytes.indexOf(10, at);
    const end = found < 0 ? bytes.length : found;
    this.#count(end - at + 1);
    for (let i = at; i < end; i++) this.#line.push(bytes[i]);
    if (found < 0) return end - at;
    if (this.#line.at(-1) === 13) this.#line.pop();
    // Fields are ISO-8859-1 at most; a bare CR would hide a line from others.
    const line = String.fromCharCode(...this.#line);
    this.#line = [];
    if (/[\0\r]/.test(line)) throw new HttpError('a header line has a stray control character');
    this.#handle(line);
    return end - at + 1;
  }

  /** @param {number} size bytes of text about to be held */
  #count(size) {
    this.#headBytes += size;
    const limit = this.#state === 'chunk' || this.#state === 'gap' ? maxChunkLine : maxHeadBytes;
    if (this.#headBytes > limit) throw new HttpError('the header of a response is too long');
  }

  /** @param {string} line */
  #handle(line) {
    switch (this.#state) {
      case 'head':
        if (line !== '') {
          if (this.#lines.length > maxFields) throw new HttpError('a response has too many header fields');
          this.#lines.push(line);
        } else if (this.#lines.length > 0) this.#head();
        break;
      case 'gap':
        if (line !== '') throw new HttpError('a chunk is longer than it says');
        this.#enter('chunk');
        break;
      case 'chunk':
        this.#chunk(line);
        break;
      default: // A trailer: read to its end and dropped.
        if (line === '') this.#finish();
    }
  }

  /** @param {string} line */
  #chunk(line) {
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line);
    if (!size) throw new HttpError('a chunk has no size');
    this.#left = parseInt(size[1], 16);
    this.#enter(this.#left === 0 ? 'trailer' : 'data');
  }

  #head() {
    const head = parseHead(this.#lines);
    this.#lines = [];
    if (head.status === 101) throw new HttpError('the other side changes the protocol unasked');
    if (head.status < 200) return this.#enter('head');
    const framing = frame(head, this.#method);
    this.#left = framing.left;
    this.#enter(framing.state);
    if (framing.state === 'close') head.keepAlive = false;
    this.#sink.onHead(head);
    if (framing.state === 'length' && framing.left === 0) this.#finish();
  }

  /** @param {ParserState} state */
  #enter(state) {
    this.#state = state;
    this.#headBytes = 0;
  }

  #finish() {
    this.#state = 'done';
    this.#sink.onEnd();
  }
}

/** @param {string[]} lines @returns {ResponseHead} */
function parseHead(lines) {
  const status = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: (.*))?$/.exec(lines[0]);
  if (!status) throw new HttpError('the other side does not answer in HTTP/1.1');
  /** @type {Map<string, string>} */
  const headers = new Map();
  for (const line of lines.slice(1)) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!field) throw new HttpError('a response has a malformed header field');
    const name = field[1].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? field[2] : `${before}, ${field[2]}`);
  }
  const connection = (headers.get('connection') ?? '').toLowerCase();
  return {
    status: Number(status[2]),
    reason: status[3] ?? '',
    headers,
    keepAlive: status[1] === '1' && !/(^|,)\s*close\s*(,|$)/.test(connection),
  };
}

/**
 * Decides where the body ends (RFC 9112 §6.3).
 *
 * @param {ResponseHead} head
 * @param {string} method
 * @returns {{ state: 'length' | 'chunk' | 'close', left: number }}
 */
function frame(head, method) {
  const length = head.headers.get('content-length');
  const coding = head.headers.get('transfer-encoding');
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { state: 'length', left: 0 };
  if (coding !== undefined) {
    if (length !== undefined) throw new HttpError('a response has two lengths');
    if (coding.toLowerCase() !== 'chunked') throw new HttpError(`the transfer coding ${coding} is not known`);
    return { state: 'chunk', left: 0 };
  }
  if (length === undefined) return { state: 'close', left: 0 };
  const values = new Set(length.split(/[ \t]*,[ \t]*/));
  const [value] = values;
  if (values.size !== 1 || !/^[0-9]{1,15}$/.test(value)) throw new HttpError('a response has no good length');
  return { state: 'length', left: Number(value) };
}
