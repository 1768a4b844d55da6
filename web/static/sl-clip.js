import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { rangeInWords, bytesInWords, durationInWords } from './timeline-words.js';

/** The longest name of a clip that is kept. */
const longestName = 64;

/**
 * A range that is marked on the timeline: what it is, and what can be done with
 * it. Events: "sl-download", "sl-cancel" (of the download), "sl-keep" { name },
 * "sl-release" { id }, "sl-close".
 */
export class SlClip extends HTMLElement {
  #range = h('span', { class: 'clip-range', 'data-testid': 'clip-range' });
  #download = h('button', { type: 'button', class: 'button primary small', 'data-testid': 'clip-download', onclick: () => this.#emit('sl-download') },
    icon('download'), 'Download');
  #keep = h('button', { type: 'button', class: 'button small', 'data-testid': 'clip-keep', onclick: () => this.#keepOrRelease() },
    icon('lock'), h('span', {}, 'Keep'));
  #name = h('input', { type: 'text', class: 'clip-name', maxlength: longestName, placeholder: 'Name, if you like', 'aria-label': 'Name of the clip', hidden: true,
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) });
  #bar = h('progress', { class: 'clip-bar', max: 1, 'aria-label': 'Download' });
  #said = h('span', { class: 'clip-said', role: 'status', 'data-testid': 'clip-status' });
  #cancel = h('button', { type: 'button', class: 'button small', hidden: true, 'data-testid': 'clip-cancel', onclick: () => this.#emit('sl-cancel') }, 'Cancel');
  #close = h('button', { type: 'button', class: 'control', title: 'Mark nothing', 'aria-label': 'Mark nothing', onclick: () => this.#emit('sl-close') },
    icon('close'));
  /** @type {{ id: string, name: string } | null} the lock on what is marked */ #lock = null;
  #busy = false;
  #admin = false;

  connectedCallback() {
    if (this.#range.isConnected) return;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', 'Marked range');
    this.#bar.hidden = true;
    this.append(
      h('span', { class: 'clip-what' }, this.#range, this.#said),
      this.#bar,
      h('span', { class: 'clip-actions' }, this.#name, this.#keep, this.#download, this.#cancel, this.#close),
    );
  }

  /**
   * @param {{ fromMs: number, toMs: number } | null} range null hides it
   * @param {{ admin: boolean, lock: { id: string, name: string } | null }} options admin: may keep clips; lock: what keeps it already
   */
  show(range, { admin, lock }) {
    this.hidden = range === null;
    if (!range) return this.#ask(false);
    this.#lock = lock;
    this.#admin = admin;
    setText(this.#range, `${rangeInWords(range.fromMs, range.toMs)} · ${durationInWords(range.toMs - range.fromMs)}`);
    setText(/** @type {Element} */ (this.#keep.lastElementChild), lock ? 'Keep no longer' : 'Keep');
    this.#keep.title = lock ? 'It may be deleted again when its time has come' : 'It is not deleted, however old it gets';
    this.#arrange();
  }

  /** @param {import('./download.js').DownloadProgress | null} progress null: none */
  progress(progress) {
    this.#busy = progress !== null && ['starting', 'running', 'waiting'].includes(progress.phase);
    this.#bar.hidden = !this.#busy;
    if (progress?.totalBytes) this.#bar.value = progress.bytes / progress.totalBytes;
    else this.#bar.removeAttribute('value');
    this.say(progress ? downloadInWords(progress) : '');
    this.#arrange();
  }

  /** @param {string} words about what was done last */
  say(words) {
    setText(this.#said, words);
  }

  #arrange() {
    const naming = !this.#name.hidden;
    this.#keep.hidden = !this.#admin || this.#busy;
    this.#download.hidden = this.#busy || naming;
    this.#cancel.hidden = !this.#busy;
    this.#close.hidden = this.#busy || naming;
  }

  /** @param {boolean} open whether a name is asked for */
  #ask(open) {
    this.#name.hidden = !open;
    this.#arrange();
    if (open) this.#name.focus();
    else this.#name.value = '';
  }

  #keepOrRelease() {
    if (this.#lock) return this.#emit('sl-release', { id: this.#lock.id });
    if (this.#name.hidden) return this.#ask(true);
    this.#emit('sl-keep', { name: this.#name.value.trim() });
    this.#ask(false);
    this.#keep.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'Enter') this.#keepOrRelease();
    else if (event.key === 'Escape') {
      this.#ask(false);
      this.#keep.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} type @param {object} [detail] */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {import('./download.js').DownloadProgress} progress @returns {string} */
export function downloadInWords({ phase, bytes, totalBytes, message }) {
  const of = totalBytes ? `${bytesInWords(bytes)} of ${bytesInWords(totalBytes)}` : bytesInWords(bytes);
  switch (phase) {
    case 'starting':
      return 'Preparing the file';
    case 'running':
      return of;
    case 'waiting':
      return message || `Waiting for the connection, ${of} so far`;
    case 'done':
      return `Saved, ${bytesInWords(bytes)}`;
    case 'cancelled':
      return 'Cancelled';
    default:
      return message || 'The download failed. Try again.';
  }
}

customElements.define('sl-clip', SlClip);
