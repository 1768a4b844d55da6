/**
 * A video element and its media source, as far as playback needs them: what is
 * appended is parsed, time stands still unless a test moves it.
 */
import { readRun, trackOf } from '../static/playback-boxes.js';

const sources = new Map();

class FakeBuffer extends EventTarget {
  timestampOffset = 0;
  /** @type {{ start: number, end: number }[]} one for each frame */ frames = [];
  timescale = 1;
  #rest = Buffer.alloc(0);

  constructor(source, type) {
    super();
    this.source = source;
    this.type = type;
  }

  changeType(type) {
    this.type = type;
  }

  get ranges() {
    const all = [];
    for (const { start, end } of [...this.frames].sort((a, b) => a.start - b.start)) {
      const last = all.at(-1);
      if (last && start < last.end + 0.001) last.end = Math.max(last.end, end);
      else all.push({ start, end });
    }
    return all;
  }

  get buffered() {
    const ranges = this.ranges;
    return { length: ranges.length, start: (i) => ranges[i].start, end: (i) => ranges[i].end };
  }

  appendBuffer(bytes) {
    if (this.source.readyState === 'ended') this.source.readyState = 'open';
    this.#rest = Buffer.concat([this.#rest, bytes]);
    this.#parse();
    this.#done();
  }

  abort() {
    this.#rest = Buffer.alloc(0);
  }

  remove(from, to) {
    if (this.source.readyState === 'ended') this.source.readyState = 'open';
    this.frames = this.frames.filter(({ start }) => start < from || start >= to);
    this.#done();
  }

  #parse() {
    for (let fragment = Buffer.alloc(0), rest = this.#rest; rest.length >= 8 && rest.length >= rest.readUInt32BE(0); ) {
      const size = rest.readUInt32BE(0);
      const type = rest.toString('latin1', 4, 8);
      fragment = Buffer.concat([fragment, rest.subarray(0, size)]);
      rest = rest.subarray(size);
      if (type === 'moov') this.timescale = (trackOf(new Uint8Array(fragment), 'vide') ?? trackOf(new Uint8Array(fragment), 'soun')).timescale;
      if (type !== 'moov' && type !== 'mdat') continue;
      this.#rest = rest;
      if (type === 'mdat') this.#take(readRun(new Uint8Array(fragment)));
      fragment = Buffer.alloc(0);
    }
  }

  #take({ samples }) {
    for (const { time, duration } of samples) {
      const start = time / this.timescale + this.timestampOffset;
      this.frames.push({ start, end: start + duration / this.timescale });
    }
  }

  #done() {
    this.source.changed();
    queueMicrotask(() => this.dispatchEvent(new Event('updateend')));
  }
}

class FakeSource extends EventTarget {
  static isTypeSupported = (type) => !/hvc1|ulaw/.test(type);
  readyState = 'closed';
  duration = NaN;
  buffers = [];
  changed = () => {};

  addSourceBuffer(type) {
    const buffer = new FakeBuffer(this, type);
    this.buffers.push(buffer);
    return buffer;
  }

  endOfStream() {
    this.readyState = 'ended';
    this.duration = Math.max(0, ...this.buffers.flatMap(({ ranges }) => ranges.map(({ end }) => end)));
    this.changed();
  }
}

export class FakeVideo extends EventTarget {
  paused = true;
  ended = false;
  seeking = false;
  muted = true;
  readyState = 0;
  playbackRate = 1;
  defaultPlaybackRate = 1;
  error = null;
  #time = 0;
  #src = '';
  /** @type {FakeSource | null} */ source = null;
  #callbacks = new Map();
  #numbers = 0;
  /** Every frame that was shown. */
  shown = [];

  get src() {
    return this.#src;
  }

  set src(url) {
    this.#empty();
    this.#src = url;
    const source = sources.get(url);
    this.source = source;
    source.changed = () => this.#look();
    setTimeout(() => {
      source.readyState = 'open';
      source.dispatchEvent(new Event('sourceopen'));
    });
  }

  removeAttribute() {
    this.#empty();
    this.#src = '';
  }

  load() {}

  #empty() {
    if (this.source) this.source.readyState = 'closed';
    this.source = null;
    this.paused = true;
    this.ended = false;
    this.playbackRate = this.defaultPlaybackRate;
  }

  get buffered() {
    return this.source?.buffers[0]?.buffered ?? { length: 0 };
  }

  get currentTime() {
    return this.#time;
  }

  set currentTime(time) {
    this.#time = time;
    this.seeking = true;
    this.ended = false;
    queueMicrotask(() => this.#look());
  }

  requestVideoFrameCallback(call) {
    this.#callbacks.set(++this.#numbers, call);
    return this.#numbers;
  }

  cancelVideoFrameCallback(number) {
    this.#callbacks.delete(number);
  }

  async play() {
    // As the standard says: an element that has ended starts over.
    if (this.ended) this.currentTime = 0;
    this.paused = false;
    this.dispatchEvent(new Event('play'));
    this.#look();
  }

  pause() {
    if (this.paused) return;
    this.paused = true;
    this.dispatchEvent(new Event('pause'));
  }

  /** Lets time pass while it plays, frame by frame. */
  async run(seconds) {
    for (let left = seconds * this.playbackRate; left > 1e-9 && !this.paused; left -= 0.04) {
      const end = this.source?.buffers[0].ranges.find(({ start, end: until }) => start - 0.001 <= this.#time && this.#time < until)?.end ?? this.#time;
      this.#time = Math.min(this.#time + 0.04, end);
      if (end - this.#time < 1e-6) {
        if (this.source?.readyState !== 'ended') {
          this.readyState = 2;
          this.dispatchEvent(new Event('waiting'));
          return;
        }
        this.paused = this.ended = true;
        this.dispatchEvent(new Event('pause'));
        this.dispatchEvent(new Event('ended'));
        return;
      }
      this.#show();
      await null;
    }
  }

  /** Shows the frame of a seek as soon as all tracks have it. */
  #look() {
    const covers = ({ ranges }) => ranges.some(({ start, end }) => start - 0.001 <= this.#time && this.#time < end);
    if (!this.source || this.source.buffers.length === 0 || !this.source.buffers.every(covers)) return;
    this.readyState = 4;
    if (!this.seeking) return;
    this.seeking = false;
    queueMicrotask(() => {
      this.#show();
      this.dispatchEvent(new Event('seeked'));
    });
  }

  #show() {
    const frame = this.source?.buffers[0].frames.findLast(({ start }) => start <= this.#time + 1e-6);
    if (!frame) return;
    this.shown.push(frame.start);
    this.report(frame.start);
  }

  /** Says that the frame of that time is shown. */
  report(mediaTime) {
    const callbacks = [...this.#callbacks.values()];
    this.#callbacks.clear();
    for (const call of callbacks) call(performance.now(), { mediaTime });
  }
}

/** Puts what a page has into the globals. */
export function installMedia() {
  let number = 0;
  globalThis.MediaSource = FakeSource;
  globalThis.HTMLMediaElement = { HAVE_CURRENT_DATA: 2 };
  globalThis.document = { hidden: false };
  URL.createObjectURL = (source) => {
    const url = `blob:${++number}`;
    sources.set(url, source);
    return url;
  };
  URL.revokeObjectURL = () => {};
}
