import { h } from './dom.js';
import { clockInWords } from './local-time.js';
import { clamp } from './timeline-scale.js';
import { durationInWords } from './timeline-words.js';

/** The shortest range that can be marked, in milliseconds. */
const shortestMs = 1000;

/** What arrow keys move a handle by, in milliseconds; with Shift ten times as much. */
const keyMs = 1000;

/**
 * The two handles of a marked range. Event "sl-range" { fromMs, toMs } when one
 * of them was moved; "sl-handle" { ms } while it is, for the preview, with null at
 * the end.
 */
export class SlTimelineRange extends HTMLElement {
  #from = this.#handle('from', 'Start of the marked range');
  #to = this.#handle('to', 'End of the marked range');
  /** @type {{ fromMs: number, toMs: number } | null} */ #range = null;
  /** @type {import('./timeline-scale.js').Scale | null} */ #scale = null;
  /** Where recordings begin and end. */
  limits = { firstMs: 0, lastMs: Infinity };

  connectedCallback() {
    if (this.#from.isConnected) return;
    this.hidden = true;
    this.append(this.#from, this.#to);
  }

  get range() {
    return this.#range;
  }

  set range(range) {
    this.#range = range;
    this.hidden = range === null;
    if (!range) return;
    this.#tell(this.#from, range.fromMs);
    this.#tell(this.#to, range.toMs);
  }

  /** The handle of the start takes the keyboard's focus. */
  takeFocus() {
    this.#from.focus();
  }

  /**
   * @param {import('./timeline-scale.js').Scale} scale
   * @param {{ top: number, bottom: number }} band
   */
  place(scale, { top, bottom }) {
    this.#scale = scale;
    if (!this.#range) return;
    for (const [handle, ms] of /** @type {[HTMLElement, number][]} */ ([[this.#from, this.#range.fromMs], [this.#to, this.#range.toMs]])) {
      const x = scale.xOf(ms);
      handle.style.transform = `translateX(${x}px)`;
      handle.style.top = `${top - 4}px`;
      handle.style.height = `${bottom - top + 8}px`;
      // What is out of sight is reached by keys all the same, and then comes into sight.
      handle.toggleAttribute('data-outside', x < -12 || x > scale.width + 12);
    }
  }

  /** @param {'from' | 'to'} end @param {string} label */
  #handle(end, label) {
    const handle = h('div', { class: `range-handle range-${end}`, role: 'slider', tabindex: 0, 'aria-label': label, 'data-testid': `range-${end}` });
    const move = (/** @type {PointerEvent} */ event) => {
      if (!handle.hasPointerCapture(event.pointerId) || !this.#scale) return;
      this.#move(end, this.#scale.timeAt(event.clientX - this.getBoundingClientRect().left));
    };
    const drop = () => this.dispatchEvent(new CustomEvent('sl-handle', { detail: { ms: null }, bubbles: true }));
    handle.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener('pointermove', move);
    handle.addEventListener('lostpointercapture', drop);
    handle.addEventListener('blur', drop);
    handle.addEventListener('keydown', (event) => this.#key(end, event));
    return handle;
  }

  /** @param {'from' | 'to'} end @param {KeyboardEvent} event */
  #key(end, event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -60, PageUp: 60 }[event.key];
    if (by === undefined || !this.#range || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const ms = end === 'from' ? this.#range.fromMs : this.#range.toMs;
    this.#move(end, ms + by * keyMs * (event.shiftKey ? 10 : 1));
  }

  /** @param {'from' | 'to'} end @param {number} ms */
  #move(end, ms) {
    if (!this.#range) return;
    const { firstMs, lastMs } = this.limits;
    const { fromMs, toMs } = this.#range;
    const range =
      end === 'from'
        ? { fromMs: clamp(ms, firstMs, toMs - shortestMs), toMs }
        : { fromMs, toMs: clamp(ms, fromMs + shortestMs, Math.max(lastMs, fromMs + shortestMs)) };
    this.range = range;
    const detail = { ms: end === 'from' ? range.fromMs : range.toMs };
    this.dispatchEvent(new CustomEvent('sl-handle', { detail, bubbles: true }));
    this.dispatchEvent(new CustomEvent('sl-range', { detail: range, bubbles: true }));
  }

  /** @param {HTMLElement} handle @param {number} ms */
  #tell(handle, ms) {
    const range = /** @type {{ fromMs: number, toMs: number }} */ (this.#range);
    const values = { valuemin: this.limits.firstMs, valuemax: Math.min(this.limits.lastMs, Number.MAX_SAFE_INTEGER), valuenow: ms };
    for (const [name, value] of Object.entries(values)) handle.setAttribute(`aria-${name}`, String(Math.round(value / 1000)));
    handle.setAttribute('aria-valuetext', `${clockInWords(ms)}, ${durationInWords(range.toMs - range.fromMs)} marked`);
  }
}

customElements.define('sl-timeline-range', SlTimelineRange);
