/**
 * Server-sent events (HTML standard §9.2.6) read from any stream of bytes.
 */

/**
 * @typedef {object} ServerEvent
 * @property {string} type "message" unless the server says otherwise
 * @property {string} data
 * @property {string} id
 */

/** Longest line and longest event, in characters. */
const limit = 256 * 1024;

/**
 * Yields the events of a stream until it ends. An event that is cut off by
 * the end is dropped, as the standard says.
 *
 * @param {ReadableStream<import('./encoding.js').Bytes>} stream
 * @param {() => void} [onActivity] called for everything that arrives, comments too
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 * @throws {RangeError} on a line or event beyond the limit
 */
export async function* readEvents(stream, onActivity = () => {}) {
  const parser = new EventParser();
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      onActivity();
      yield* parser.push(value);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

export class EventParser {
  #rest = '';
  #afterReturn = false;
  #type = '';
  /** @type {string[]} */ #data = [];
  #size = 0;
  #id = '';

  /**
   * Takes the next piece of text and returns the events it completes.
   *
   * @param {string} text
   * @returns {ServerEvent[]}
   */
  push(text) {
    /** @type {ServerEvent[]} */
    const events = [];
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      const char = text[i];
      if (char !== '\n' && char !== '\r') {
        this.#afterReturn = false;
        continue;
      }
      if (char === '\n' && this.#afterReturn) {
        this.#afterReturn = false;
        start = i + 1;
        continue;
      }
      this.#afterReturn = char === '\r';
      const event = this.#line(this.#rest + text.slice(start, i));
      if (event) events.push(event);
      this.#rest = '';
      start = i + 1;
    }
    this.#rest += text.slice(start);
    if (this.#rest.length > limit) throw new RangeError('a line of the event stream is too long');
    return events;
  }

  /** @param {string} line @returns {ServerEvent | null} */
  #line(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'event') this.#type = value;
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    if (field === 'data') {
      this.#size += value.length + 1;
      if (this.#size > limit) throw new RangeError('an event of the event stream is too long');
      this.#data.push(value);
    }
    return null;
  }

  /** @returns {ServerEvent | null} */
  #dispatch() {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    this.#size = 0;
    return empty ? null : event;
  }
}
