import { h, setText } from './dom.js';
import { clockInWords } from './local-time.js';
import { SlPreview } from './sl-preview.js';
import { SlTimelineRange } from './sl-timeline-range.js';
import { layout, paint, rulerPx } from './timeline-draw.js';
import { Gestures, wheelAction } from './timeline-gestures.js';
import { gapAt, growingFrom, hit, isRecorded } from './timeline-hits.js';
import { readInks, watchTheme } from './timeline-inks.js';
import { keyAction } from './timeline-keys.js';
import { followPointers } from './timeline-pointers.js';
import { clamp } from './timeline-scale.js';
import { TimelineView } from './timeline-view.js';
import { hitInWords, momentInWords } from './timeline-words.js';

/** How near something a press means it, in pixels. */
const slopMouse = 9;
const slopFinger = 22;

/** Keys look for a moment; it is taken this long after the last of them, in milliseconds. */
const keysMs = 450;

/** The preview of a moment that a finger has chosen stays this long, in milliseconds. */
const tapPreviewMs = 2600;

/** How often what is known is looked at again, in milliseconds. */
const refreshMs = 1000;

/** An event is shown from a little before it. */
const beforeEventMs = 2000;

/** @type {import('./timeline-data.js').Piece} */
const nothing = { ranges: [], gaps: [], events: [], locks: [], pauses: [] };

/**
 * @typedef {object} Moment
 * @property {number} nowMs the recorder's clock
 * @property {number} firstMs where recordings begin; nowMs without any
 * @property {number | null} playheadMs null: the present
 * @property {boolean} recording whether something is recorded at the present
 */

/**
 * Time, as far as there are recordings: dragging, wheel, pinching and keys move
 * it, a press chooses a moment.
 *
 * Events, bubbling, with their details: "sl-seek" { ms }; "sl-live"; "sl-scrub"
 * { ms } while a moment is being looked for, null when that is over; "sl-range"
 * { fromMs, toMs } when the marked range was changed; "sl-picture" as of a preview.
 */
export class SlTimeline extends HTMLElement {
  #canvas = h('canvas', { class: 'timeline-canvas', 'aria-hidden': 'true' });
  #time = h('span', { class: 'playhead-time' });
  #playhead = h('div', { class: 'playhead', 'aria-hidden': 'true' }, this.#time);
  #slider = h('div', { class: 'timeline-slider', role: 'slider', tabindex: 0, 'aria-label': 'Time', 'data-testid': 'timeline' },
    this.#canvas, this.#playhead);
  #marked = new SlTimelineRange();
  #preview = new SlPreview();
  #view = new TimelineView(() => matchMedia('(prefers-reduced-motion: reduce)').matches);
  #gestures = new Gestures({
    grab: (x) => this.#grab(x),
    tap: (x) => this.#tap(x),
    pan: (by) => this.#move(this.#view.scale.panned(by)),
    zoom: (factor, x) => this.#move(this.#view.scale.zoomed(factor, x, this.#view.limits)),
    fling: (speed) => this.#view.fling(speed),
    scrub: (x) => this.#look(x),
    drop: (_, done) => this.#drop(done),
  });

  /** @type {import('./timeline-data.js').TimelineData | null} */ #data = null;
  #piece = nothing;
  /** @type {Moment} */ #moment = { nowMs: 0, firstMs: 0, playheadMs: null, recording: false };
  /** @type {number | null} a moment that is being looked for */ #sought = null;
  /** @type {number | null} where the pointer is */ #hoverX = null;
  #pointer = { fine: true, inRuler: false };
  #height = 0;
  /** @type {import('./timeline-draw.js').Inks | null} */ #inks = null;
  #frame = 0;
  /** What the playhead was painted at, so that it is not painted again for nothing. */
  #painted = -1;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #keysTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #tapTimer;
  /** @type {AbortController | null} while on the page */ #here = null;

  connectedCallback() {
    if (!this.#slider.isConnected) this.append(this.#slider, this.#marked, this.#preview);
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', 'Recordings');
    this.#here = new AbortController();
    const { signal } = this.#here;
    const observer = new ResizeObserver(() => this.#resize());
    observer.observe(this.#slider);
    const refresh = setInterval(() => this.#ask(), refreshMs);
    signal.addEventListener('abort', () => {
      observer.disconnect();
      clearInterval(refresh);
    });
    watchTheme(() => {
      this.#inks = null;
      this.#invalidate();
    }, signal);
    this.#listen(signal);
  }

  disconnectedCallback() {
    this.#here?.abort();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    clearTimeout(this.#keysTimer);
    clearTimeout(this.#tapTimer);
    this.#preview.previewer = null;
  }

  /** What it shows; changed() is to be called when that has changed. @param {import('./timeline-data.js').TimelineData | null} data */
  set data(data) {
    this.#data = data;
    this.#view.reset();
    this.changed();
  }

  /** @param {import('./sl-preview.js').MakePreviewer | null} make */
  set previewer(make) {
    this.#preview.previewer = make;
  }

  /** The key frame of the moment that is being looked for. @returns {HTMLCanvasElement} */
  get previewCanvas() {
    return this.#preview.canvas;
  }

  /** What is known of what is in sight. @returns {import('./timeline-data.js').Piece} */
  get piece() {
    return this.#piece;
  }

  /** What is in sight. */
  get scale() {
    return this.#view.scale;
  }

  /** What is marked. @returns {{ fromMs: number, toMs: number } | null} */
  get range() {
    return this.#marked.range;
  }

  set range(range) {
    this.#marked.range = range;
    this.#invalidate();
  }

  /** Something new is known. */
  changed() {
    this.#ask();
    this.#invalidate();
  }

  /** Where the present and the playhead are; to be told often. @param {Moment} moment */
  set moment(moment) {
    const { nowMs, firstMs } = moment;
    this.#moment = moment;
    const placed = this.#view.placed;
    this.#view.limits = { firstMs: Math.min(firstMs, nowMs), lastMs: nowMs };
    this.#marked.limits = this.#view.limits;
    if (!placed && this.#view.placed) this.changed();
    if (this.#gestures.doing === 'none' && this.#sought === null) this.#view.follow(this.#shownMs);
    // A second can be read; less than half a pixel cannot be seen.
    const apart = Math.abs(this.#shownMs - this.#painted);
    if (apart > this.#view.scale.msPerPx * 0.4 || Math.floor(this.#shownMs / 1000) !== Math.floor(this.#painted / 1000)) this.#invalidate();
  }

  /** Brings a moment into sight. @param {number} ms */
  reveal(ms) {
    this.#view.reveal(ms);
    this.changed();
  }

  /** Shows exactly that time. @param {number} fromMs @param {number} toMs */
  show(fromMs, toMs) {
    this.#view.show(fromMs, toMs);
    this.changed();
  }

  /** @param {number} factor above 1 shows more */
  zoom(factor) {
    this.#view.zoom(factor, this.#shownMs);
    this.changed();
  }

  /** Where the playhead is on the screen. */
  get #shownMs() {
    return this.#sought ?? this.#moment.playheadMs ?? this.#moment.nowMs;
  }

  get #growingMs() {
    const { nowMs, recording } = this.#moment;
    return recording ? growingFrom(this.#piece, nowMs) : nowMs;
  }

  get #live() {
    return this.#moment.playheadMs === null && this.#sought === null;
  }

  #resize() {
    const { width, height } = this.#slider.getBoundingClientRect();
    if (width === 0) return;
    this.#height = height;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    this.#view.resize(width);
    this.#ask();
    // A canvas of another size is empty until it is painted.
    this.#paint();
  }

  #ask() {
    if (this.#view.placed && this.checkVisibility()) this.#data?.want(this.#view.scale);
  }

  /** @param {import('./timeline-scale.js').Scale} scale where a person moves it */
  #move(scale) {
    this.#view.move(scale, this.#shownMs);
    this.changed();
  }

  #invalidate() {
    if (this.#frame === 0 && this.isConnected) this.#frame = requestAnimationFrame((now) => this.#tick(now));
  }

  /** @param {number} now */
  #tick(now) {
    this.#frame = 0;
    const moving = this.#view.moving;
    const ms = this.#view.tick(now, this.#shownMs);
    const pushing = this.#gestures.doing === 'scrub' && this.#push(ms);
    this.#paint();
    if (moving) this.#ask();
    if (moving || pushing) this.#invalidate();
  }

  /** Moves on while the playhead is dragged against an edge. @param {number} ms @returns {boolean} whether it is */
  #push(ms) {
    const { width } = this.#view.scale;
    const x = this.#hoverX ?? width / 2;
    const edge = Math.min(32, width / 10);
    const depth = x < edge ? x - edge : x > width - edge ? x - (width - edge) : 0;
    if (depth === 0 || !this.#view.push((-depth / edge) * 0.4 * ms)) return false;
    this.#look(x);
    this.#ask();
    return true;
  }

  #paint() {
    const context = this.#canvas.getContext('2d');
    if (!context || !this.#view.placed) return;
    this.#inks ??= readInks(this.#canvas);
    const { scale } = this.#view;
    this.#piece = this.#data?.within(scale) ?? nothing;
    const ratio = this.#canvas.width / scale.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { nowMs, firstMs } = this.#moment;
    const { range } = this;
    paint(
      context,
      { scale, piece: this.#piece, height: this.#height, nowMs, firstMs, growingMs: this.#growingMs, live: this.#live, hoverX: this.#hoverX, range },
      this.#inks,
    );
    this.#painted = this.#shownMs;
    this.#placePlayhead();
    if (!this.#slider.hasAttribute('aria-valuenow')) this.#tell();
    this.#marked.place(scale, layout(this.#height));
  }

  #placePlayhead() {
    const { scale } = this.#view;
    const x = scale.xOf(this.#shownMs);
    setText(this.#time, this.#live ? 'Live' : clockInWords(this.#shownMs));
    const side = x < -1 ? 'before' : x > scale.width + 1 ? 'after' : '';
    if (this.#playhead.dataset.outside !== side) this.#playhead.dataset.outside = side;
    this.#playhead.toggleAttribute('data-live', this.#live);
    const half = this.#time.offsetWidth / 2;
    const at = clamp(x, 0, scale.width);
    this.#playhead.style.transform = `translateX(${at}px)`;
    this.#time.style.transform = `translateX(${clamp(at, half, scale.width - half) - at - half}px)`;
  }

  /** Says where it is, for those who do not see it. */
  #tell() {
    const { nowMs } = this.#moment;
    const ms = this.#shownMs;
    const there = { live: this.#live, recorded: isRecorded(this.#piece, ms), gap: gapAt(this.#piece, ms), nowMs };
    const values = { valuemin: this.#view.limits.firstMs, valuemax: nowMs, valuenow: Math.min(ms, nowMs) };
    for (const [name, value] of Object.entries(values)) this.#slider.setAttribute(`aria-${name}`, String(Math.round(value / 1000)));
    this.#slider.setAttribute('aria-valuetext', momentInWords(ms, there));
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const slider = this.#slider;
    const options = { signal };
    followPointers(slider, {
      gestures: this.#gestures,
      xOf: (clientX) => this.#xOf(clientX),
      see: (event) => this.#see(event),
      press: () => this.#view.stop(),
      move: () => this.#hover(),
      leave: () => this.#leave(),
      signal,
    });
    slider.addEventListener('wheel', (event) => this.#wheel(event), { signal, passive: false });
    slider.addEventListener('keydown', (event) => this.#key(event), options);
    slider.addEventListener('focus', () => this.#tell(), options);
    slider.addEventListener('blur', () => this.#take(), options);
    this.#marked.addEventListener('sl-handle', (event) => this.#handle(/** @type {CustomEvent} */ (event).detail.ms), options);
  }

  /** @param {number} clientX */
  #xOf(clientX) {
    return clientX - this.#slider.getBoundingClientRect().left;
  }

  /** @param {PointerEvent} event */
  #see({ clientX, clientY, pointerType }) {
    this.#hoverX = this.#xOf(clientX);
    this.#pointer = { fine: pointerType === 'mouse', inRuler: clientY - this.#slider.getBoundingClientRect().top < rulerPx };
  }

  get #slop() {
    return this.#pointer.fine ? slopMouse : slopFinger;
  }

  /** @param {number} x */
  #meet(x) {
    const playheadMs = this.#shownMs;
    return hit({ x, slop: this.#slop, playheadMs }, this.#view.scale, this.#piece);
  }

  /** @param {number} x @returns {'scrub' | 'pan'} */
  #grab(x) {
    const half = this.#time.offsetWidth / 2;
    const pill = this.#pointer.inRuler && Math.abs(clamp(this.#view.scale.xOf(this.#shownMs), half, this.#view.scale.width - half) - x) < half + 6;
    return pill || this.#meet(x).kind === 'playhead' ? 'scrub' : 'pan';
  }

  /** @param {number} x */
  #tap(x) {
    const met = this.#meet(x);
    const side = this.#playhead.dataset.outside;
    if (side && this.#pointer.inRuler && (side === 'before' ? x < this.#time.offsetWidth : x > this.#view.scale.width - this.#time.offsetWidth)) {
      return this.reveal(this.#shownMs);
    }
    if (met.kind === 'playhead') return;
    // What is recorded there is about to be seen anyway.
    if (!this.#pointer.fine && (met.kind !== 'recorded' || met.lock)) {
      this.#showPreview(x);
      clearTimeout(this.#tapTimer);
      this.#tapTimer = setTimeout(() => this.#preview.hide(), tapPreviewMs);
    }
    this.#choose(met.kind === 'events' ? met.ms - beforeEventMs : met.ms);
  }

  /** Goes to a moment. @param {number} ms */
  #choose(ms) {
    const { nowMs, firstMs } = this.#moment;
    const near = this.#view.scale.msPerPx * 3;
    this.#sought = null;
    if (ms >= nowMs - near) this.#emit('sl-live');
    else this.#emit('sl-seek', { ms: clamp(ms, Math.min(firstMs, nowMs), nowMs) });
    this.#view.hold(ms);
    this.#tell();
    this.#invalidate();
  }

  /** Looks at the moment there, without going to it yet. @param {number} x */
  #look(x) {
    const { firstMs, lastMs } = this.#view.limits;
    this.#sought = clamp(this.#view.scale.timeAt(clamp(x, 0, this.#view.scale.width)), firstMs, lastMs);
    this.#showPreview(this.#view.scale.xOf(this.#sought));
    this.#emit('sl-scrub', { ms: this.#sought });
    this.#invalidate();
  }

  /** @param {boolean} done */
  #drop(done) {
    const ms = this.#sought;
    this.#sought = null;
    this.#emit('sl-scrub', { ms: null });
    if (done && ms !== null) this.#choose(ms);
    this.#invalidate();
  }

  #hover() {
    if (this.#hoverX === null || this.#gestures.doing === 'scrub') return;
    const over = this.#gestures.doing === 'none' && this.#pointer.fine;
    const met = this.#meet(this.#hoverX);
    this.#slider.dataset.over = this.#gestures.doing === 'pan' ? 'pan' : met.kind === 'playhead' ? 'playhead' : met.kind;
    if (over) this.#showPreview(this.#hoverX);
    else this.#preview.hide();
    this.#invalidate();
  }

  #leave() {
    this.#hoverX = null;
    if (this.#tapTimer === undefined || this.#pointer.fine) this.#preview.hide();
    this.#invalidate();
  }

  /** @param {number | null} ms where a handle of the range is moved to */
  #handle(ms) {
    if (ms === null) this.#preview.hide();
    else this.#showPreview(this.#view.scale.xOf(ms));
    this.#invalidate();
  }

  /** @param {number} x */
  #showPreview(x) {
    clearTimeout(this.#tapTimer);
    this.#tapTimer = undefined;
    const { scale } = this.#view;
    const met = hit({ x, slop: this.#slop, playheadMs: null }, scale, this.#piece);
    const { nowMs } = this.#moment;
    if (met.ms > nowMs) return this.#preview.hide();
    const recorded = isRecorded(this.#piece, met.ms);
    const words = hitInWords(met, recorded || met.ms >= this.#growingMs);
    this.#preview.show({ x, ms: met.ms, nowMs, width: scale.width, recorded, words, msPerPx: scale.msPerPx });
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.#view.stop();
    const { scale, limits } = this.#view;
    const action = wheelAction(event);
    if ('panPx' in action) this.#move(scale.panned(action.panPx));
    else this.#move(scale.zoomed(action.factor, this.#xOf(event.clientX), limits));
    if (this.#pointer.fine) this.#hover();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const action = keyAction(event, this.#view.scale.msPerPx);
    if (!action || (action.do === 'leave' && this.#sought === null)) return;
    event.preventDefault();
    if (action.do === 'by') this.#seek(this.#shownMs + action.ms);
    else if (action.do === 'zoom') this.zoom(action.factor);
    else if (action.do === 'first') this.#seek(this.#moment.firstMs);
    else if (action.do === 'live') this.#choose(this.#moment.nowMs);
    else if (action.do === 'take') this.#take();
    else this.#giveUp();
  }

  /** Looks for a moment by keys; it is taken after a while. @param {number} ms */
  #seek(ms) {
    const { firstMs, lastMs } = this.#view.limits;
    this.#sought = clamp(ms, firstMs, lastMs);
    this.reveal(this.#sought);
    this.#showPreview(this.#view.scale.xOf(this.#sought));
    this.#emit('sl-scrub', { ms: this.#sought });
    this.#tell();
    clearTimeout(this.#keysTimer);
    this.#keysTimer = setTimeout(() => this.#take(), keysMs);
  }

  /** Takes the moment that keys have looked for. */
  #take() {
    clearTimeout(this.#keysTimer);
    if (this.#sought === null || this.#gestures.doing === 'scrub') return;
    const ms = this.#sought;
    this.#giveUp();
    this.#choose(ms);
  }

  #giveUp() {
    clearTimeout(this.#keysTimer);
    this.#sought = null;
    this.#preview.hide();
    this.#emit('sl-scrub', { ms: null });
    this.#invalidate();
  }

  /** @param {string} type @param {object} [detail] */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

customElements.define('sl-timeline', SlTimeline);
