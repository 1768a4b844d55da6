/**
 * What a recorder keeps: requests to its recordings (docs/openapi.yaml), over
 * whatever session is there at the moment. Times are Unix milliseconds unless a
 * name ends in Us: those are microseconds.
 */
import { ApiError, call, callJson } from './api.js';

/**
 * @typedef {object} RecordedStream
 * @property {string} rendition "main" or "sub"
 * @property {number} fromMs
 * @property {number} toMs
 * @property {number} durableMs safe from a power cut up to here
 * @property {number} bytes
 * @property {string} video as in RFC 6381: "avc1.42e01f"
 * @property {number} width
 * @property {number} height
 * @property {string} audio empty without sound
 * @property {boolean} signed carries the camera's signatures
 * @property {boolean} recording
 *
 * @typedef {object} RecordedCamera
 * @property {string} id
 * @property {string} name
 * @property {boolean} recording
 * @property {boolean} paused
 * @property {number} pausedUntilMs 0: until somebody ends it
 * @property {string} reason a sentence; empty if it records
 * @property {string} origin PeerID of the agent that the camera belongs to; empty for the recorder's own
 * @property {RecordedStream[]} streams
 *
 * @typedef {object} RecordingDisk
 * @property {boolean} usable
 * @property {string} reason
 * @property {number} totalBytes
 * @property {number} freeBytes
 * @property {number} usedBytes
 * @property {string} [path] told to admins only
 *
 * @typedef {object} Overview
 * @property {number} unixMs the recorder's clock
 * @property {RecordedCamera[]} cameras
 * @property {RecordingDisk[]} disks
 *
 * @typedef {{ date: string, recordedMs: number, bytes: number, events: number }} RecordedDay date: "2026-11-21"
 *
 * @typedef {object} RecordedEvent
 * @property {string} id
 * @property {string} type
 * @property {number} fromMs
 * @property {number} toMs
 * @property {string} text
 *
 * @typedef {object} Timeline
 * @property {[number, number][]} ranges recorded, from and to
 * @property {{ fromMs: number, toMs: number, cause: string, text: string }[]} gaps
 * @property {RecordedEvent[]} events
 * @property {{ id: string, fromMs: number, toMs: number, name: string }[]} locks
 * @property {{ fromMs: number, toMs: number, by: string }[]} pauses
 *
 * @typedef {object} Fragment the smallest piece that can be fetched: a group of pictures, or a second of a longer one
 * @property {number} startUs
 * @property {number} durationUs
 * @property {number} mediaStart in ticks of 90 kHz since the segment's start, by the camera's clock
 * @property {number} offset in the file
 * @property {number} bytes
 * @property {number} videoBytes of bytes, from the offset; the rest is sound
 * @property {boolean} key whether it begins with a key frame
 *
 * @typedef {object} Segment a file of fragments
 * @property {string} id
 * @property {number} startUs
 * @property {number} endUs
 * @property {number} initBytes what stands before the first fragment
 * @property {number} bytes
 * @property {string} video
 * @property {number} width
 * @property {number} height
 * @property {string} audio
 * @property {boolean} open still being written
 * @property {boolean} signed
 * @property {Fragment[]} fragments in order
 *
 * @typedef {object} KeyFrame
 * @property {number} timeMs
 * @property {string} codec
 * @property {number} width
 * @property {number} height
 * @property {import('./encoding.js').Bytes} data Annex B, with its parameter sets
 *
 * @typedef {object} ExportOptions
 * @property {number} fromMs
 * @property {number} toMs
 * @property {string} [rendition]
 * @property {boolean} [sound] default true
 * @property {boolean} [keepGaps] whether gaps last as long as they did; by default they are left out
 *
 * @typedef {{ signal?: AbortSignal }} Abortable
 */

/** There is no session at the moment: what was asked for may succeed in a while. */
export class NoSessionError extends Error {
  name = 'NoSessionError';

  constructor() {
    super('There is no connection to the recorder at the moment.');
  }
}

export class Recordings {
  #http;

  /** @param {() => import('./api.js').Http | null} http the session's, which changes when the session does */
  constructor(http) {
    this.#http = http;
  }

  /** @param {Abortable} [options] @returns {Promise<Overview>} */
  overview(options) {
    return this.#json('/v1/recordings', options);
  }

  /**
   * @param {string} camera
   * @param {{ zone: string, from: string, to: string } & Abortable} options zone: IANA name; from and to: dates, inclusive
   * @returns {Promise<RecordedDay[]>}
   */
  async days(camera, { zone, from, to, signal }) {
    return (await this.#json(path(camera, 'days', { zone, from, to }), { signal })).days;
  }

  /**
   * @param {string} camera
   * @param {{ fromMs: number, toMs: number, resolutionMs: number, rendition?: string } & Abortable} options
   * @returns {Promise<Timeline>}
   */
  timeline(camera, { fromMs, toMs, resolutionMs, rendition, signal }) {
    const query = { from: whole(fromMs), to: whole(toMs), rendition, resolution: whole(resolutionMs) };
    return this.#json(path(camera, 'timeline', query), { signal });
  }

  /**
   * At most 15 minutes of fragments; more says that there is more before toMs.
   *
   * @param {string} camera
   * @param {{ fromMs: number, toMs: number, rendition?: string } & Abortable} options
   * @returns {Promise<{ segments: Segment[], more: boolean }>}
   */
  async segments(camera, { fromMs, toMs, rendition, signal }) {
    const query = { from: whole(fromMs), to: whole(toMs), rendition };
    const { segments, more } = await this.#json(path(camera, 'segments', query), { signal });
    return { segments: segments.map(readSegment), more: more === true };
  }

  /**
   * Bytes of a segment's file.
   *
   * @param {string} camera
   * @param {string} segment
   * @param {{ from: number, to: number } & Abortable} options to is not included
   * @returns {Promise<ReadableStream<import('./encoding.js').Bytes>>} exactly these
   */
  async bytes(camera, segment, { from, to, signal }) {
    const headers = { Range: `bytes=${from}-${to - 1}` };
    const response = await call(this.#session(), path(camera, `segments/${encodeURIComponent(segment)}`), { headers, signal });
    if (response.headers.get('content-range')?.startsWith(`bytes ${from}-${to - 1}/`)) return response.body;
    await response.body.cancel();
    throw new ApiError(response.status, 'no_range', 'The recorder does not send the part of the recording that was asked for.');
  }

  /**
   * @param {string} camera
   * @param {Pick<Segment, 'id' | 'initBytes'>} segment
   * @param {Abortable} [options]
   * @returns {Promise<import('./encoding.js').Bytes>} the initialization segment
   */
  async init(camera, { id, initBytes }, options) {
    return readAll(await this.bytes(camera, id, { from: 0, to: initBytes, ...options }));
  }

  /**
   * @param {string} camera
   * @param {{ atMs: number, rendition?: string } & Abortable} options
   * @returns {Promise<KeyFrame>} the one nearest to that time
   */
  async keyFrame(camera, { atMs, rendition, signal }) {
    const response = await call(this.#session(), path(camera, 'keyframe', { at: whole(atMs), rendition }), { signal });
    const { headers } = response;
    const data = await readAll(response.body);
    return {
      timeMs: Number(headers.get('sightline-time-ms')),
      codec: headers.get('sightline-codec') ?? '',
      width: Number(headers.get('sightline-width')),
      height: Number(headers.get('sightline-height')),
      data,
    };
  }

  /**
   * @param {string} camera
   * @param {{ fromMs: number, toMs: number, max?: number, rendition?: string } & Abortable} options
   * @returns {Promise<number[]>} times of key frames, in order, at most max spread over all
   */
  async keyFrameTimes(camera, { fromMs, toMs, max, rendition, signal }) {
    const query = { from: whole(fromMs), to: whole(toMs), max: max === undefined ? undefined : whole(max), rendition };
    return (await this.#json(path(camera, 'keyframes', query), { signal })).keyFramesMs;
  }

  /**
   * @param {string} camera
   * @param {{ fromMs: number, toMs: number, limit?: number, type?: string } & Abortable} options
   * @returns {Promise<RecordedEvent[]>}
   */
  async events(camera, { fromMs, toMs, limit, type, signal }) {
    const query = { from: whole(fromMs), to: whole(toMs), limit: limit === undefined ? undefined : whole(limit), type };
    return (await this.#json(path(camera, 'events', query), { signal })).events;
  }

  /**
   * Keeps a range from being deleted.
   *
   * @param {string} camera
   * @param {{ fromMs: number, toMs: number, name: string } & Abortable} lock
   * @returns {Promise<string>} its id
   */
  async lock(camera, { fromMs, toMs, name, signal }) {
    const body = { fromMs: Math.floor(fromMs), toMs: Math.ceil(toMs), name };
    return (await this.#json(path(camera, 'locks'), { method: 'POST', body, signal })).id;
  }

  /** @param {string} camera @param {string} id @param {Abortable} [options] */
  async unlock(camera, id, options) {
    await this.#done(path(camera, `locks/${encodeURIComponent(id)}`), { method: 'DELETE', ...options });
  }

  /**
   * Stops recording for privacy.
   *
   * @param {string} camera
   * @param {{ untilMs: number } & Abortable} options 0: until resume
   */
  async pause(camera, { untilMs, signal }) {
    await this.#done(path(camera, 'pause'), { method: 'PUT', body: { untilMs }, signal });
  }

  /** @param {string} camera @param {Abortable} [options] */
  async resume(camera, options) {
    await this.#done(path(camera, 'pause'), { method: 'DELETE', ...options });
  }

  /**
   * An export as its recorder makes it, or its head alone.
   *
   * @param {string} camera
   * @param {ExportOptions & { method?: 'GET' | 'HEAD', offset?: number, tag?: string } & Abortable} options
   *   offset: bytes that are there already, of the export with this ETag
   * @returns {Promise<import('./http1.js').HttpResponse>} 206 with an offset, unless the export has changed
   */
  export(camera, { method = 'GET', offset = 0, tag = '', signal, ...range }) {
    /** @type {Record<string, string>} */
    const headers = offset > 0 ? { Range: `bytes=${offset}-`, 'If-Range': tag } : {};
    return call(this.#session(), exportPath(camera, range), { method, headers, signal });
  }

  #session() {
    const http = this.#http();
    if (!http) throw new NoSessionError();
    return http;
  }

  /** @param {string} target @param {import('./api.js').CallOptions} [options] @returns {Promise<any>} */
  async #json(target, options) {
    return callJson(this.#session(), target, options);
  }

  /** @param {string} target @param {import('./api.js').CallOptions} options */
  async #done(target, options) {
    // A body that is not read keeps its connection.
    await (await call(this.#session(), target, options)).text();
  }
}

/**
 * @param {string} camera
 * @param {ExportOptions} options
 * @returns {string} where an export is, on the recorder
 */
export function exportPath(camera, { fromMs, toMs, rendition, sound = true, keepGaps = false }) {
  return path(camera, 'export.mp4', {
    from: whole(fromMs),
    to: String(Math.ceil(toMs)),
    rendition,
    sound: sound ? undefined : '0',
    gaps: keepGaps ? 'keep' : undefined,
  });
}

/**
 * @param {ReadableStream<import('./encoding.js').Bytes>} stream
 * @returns {Promise<import('./encoding.js').Bytes>}
 */
export async function readAll(stream) {
  const parts = [];
  const reader = stream.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return join(parts);
    parts.push(value);
  }
}

/**
 * @param {import('./encoding.js').Bytes[]} parts
 * @returns {import('./encoding.js').Bytes}
 */
export function join(parts) {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param {any} segment as it is sent @returns {Segment} */
function readSegment({ fragments, ...segment }) {
  return {
    ...segment,
    fragments: fragments.map((/** @type {number[]} */ row) => {
      const [startUs, durationUs, mediaStart, offset, bytes, videoBytes, key] = row;
      return { startUs, durationUs, mediaStart, offset, bytes, videoBytes, key: key === 1 };
    }),
  };
}

/**
 * @param {string} camera
 * @param {string} what
 * @param {Record<string, string | undefined>} [query]
 */
function path(camera, what, query = {}) {
  const fields = Object.entries(query).filter((field) => field[1] !== undefined);
  const search = new URLSearchParams(/** @type {[string, string][]} */ (fields)).toString();
  return `/v1/recordings/${encodeURIComponent(camera)}/${what}${search && `?${search}`}`;
}

/** @param {number} ms @returns {string} */
function whole(ms) {
  return String(Math.floor(ms));
}
