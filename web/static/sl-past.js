import { Clipping, refusalInWords } from './clipping.js';
import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { clockInWords, dateName, dayName } from './local-time.js';
import { Past } from './past.js';
import { Playback } from './playback.js';
import { popoverOf } from './popover.js';
import { Scrub } from './scrub.js';
import { SlDays } from './sl-days.js';
import { pauseInWords, SlPrivacy } from './sl-privacy.js';
import { SlTimeline } from './sl-timeline.js';
import { SlTransport } from './sl-transport.js';
import { TimelineData } from './timeline-data.js';
import { gapInWords } from './timeline-words.js';

/** How long something is said over the picture, in milliseconds. */
const saidMs = 4500;

/** How often the present moves on the timeline, in milliseconds. */
const tickMs = 250;

/**
 * The recordings of one camera below its picture: the timeline, the marked
 * range, what has to be said of it; and the picture of the past itself.
 *
 * Event "sl-mode" when the present or the past takes over, or anything about it
 * has changed: see live, badge and video.
 */
export class SlPast extends HTMLElement {
  // Constant after construction.
  #library;
  #camera;
  #past;

  /** The picture of the past; the player shows it above the present. */
  video = h('video', { playsinline: true, disableremoteplayback: true, class: 'past-video', 'data-testid': 'past-video' });
  #still = h('canvas', { class: 'past-still', 'aria-hidden': 'true', hidden: true });
  #paused = h('p', { class: 'paused-chip', hidden: true, 'data-testid': 'paused' }, icon('privacy'), h('span', {}));
  #spinner = h('span', { class: 'past-spinner', 'aria-hidden': 'true' });
  #said = h('span', {});
  #again = h('button', { type: 'button', class: 'button small', hidden: true, onclick: () => void this.#past.retry() }, 'Try again');
  #notice = h('div', { class: 'past-notice', role: 'status', 'data-testid': 'past-notice', hidden: true }, this.#spinner, this.#said, this.#again);
  /** What belongs over the picture, in order. */
  layers = [this.video, this.#still];
  words = [this.#paused, this.#notice];

  #timeline = new SlTimeline();
  #clipping;
  #note = h('p', { class: 'past-note', 'data-testid': 'past-note', hidden: true });
  #transport = new SlTransport();
  #weekday = h('span', {});
  #date = h('span', {});
  #dayButton = h('button', { type: 'button', class: 'day-button', title: 'Choose a day', 'data-testid': 'days-open' }, icon('calendar'),
    h('span', { class: 'day-name' }, this.#weekday, this.#date));
  #days = new SlDays();
  #dayPanel = popoverOf(this.#dayButton, 'Choose a day', { class: 'days-panel', testid: 'days', onopen: () => this.#openDays() });
  #wider = tool('zoom-out', 'Show more time', () => this.#timeline.zoom(2));
  #closer = tool('zoom-in', 'Show less time', () => this.#timeline.zoom(0.5));
  #mark = tool('mark', 'Mark a range to save', () => this.#clipping.toggle());
  #privacy = new SlPrivacy();
  /** What belongs into the player's bar: before and after the free space in its middle. */
  lead = [this.#transport, this.#dayButton, this.#dayPanel];
  tools = [this.#wider, this.#closer, this.#mark, this.#privacy];

  /** Everything that is put elsewhere. */
  parts = [...this.layers, ...this.words, ...this.lead, ...this.tools];

  /** @type {TimelineData | null} */ #data = null;
  /** @type {number | null} the moment that somebody is looking for */ #sought = null;
  /** Whether live has a picture to go back to. */ liveIsGood = true;
  #admin = false;
  /** What was told last. */
  #badge = '';
  #saidUntil = 0;
  #saying = '';
  #gapSaid = '';
  /** @type {AbortController | null} while on the page */ #here = null;
  #frame = 0;

  /**
   * @param {import('./library.js').Library} library
   * @param {string} camera
   */
  constructor(library, camera) {
    super();
    this.#library = library;
    this.#camera = camera;
    this.#past = new Past({
      engine: (onChange) => new Playback({ video: this.video, recordings: library.recordings, camera, rendition: this.#rendition, onChange }),
      now: () => library.nowMs(),
      events: ({ fromMs, toMs }) => library.recordings.events(camera, { fromMs, toMs, limit: 500 }),
      liveIsGood: () => this.liveIsGood,
    });
    this.#dayPanel.append(this.#days);
    this.#days.load = (from, to, signal) =>
      library.recordings.days(camera, { zone: Intl.DateTimeFormat().resolvedOptions().timeZone, from, to, signal });
    this.#transport.addEventListener('sl-do', (event) => this.#do(/** @type {CustomEvent} */ (event).detail));
    this.#transport.addEventListener('sl-rate', (event) => this.#past.setRate(/** @type {CustomEvent} */ (event).detail));
    this.#days.addEventListener('sl-day', (event) => this.#goToDay(/** @type {CustomEvent} */ (event).detail));
    this.#privacy.addEventListener('sl-pause', (event) => void this.#pause(/** @type {CustomEvent} */ (event).detail.untilMs));
    this.#privacy.addEventListener('sl-resume', () => void this.#pause(null));
    this.#clipping = new Clipping({
      library,
      camera,
      timeline: this.#timeline,
      position: () => this.#past.positionMs ?? library.nowMs(),
      rendition: () => this.#rendition,
      onchange: () => {
        this.#mark.setAttribute('aria-pressed', String(this.#clipping.marked));
        this.#data?.refresh();
      },
    });
    this.#listenToTimeline();
  }

  connectedCallback() {
    if (!this.#timeline.isConnected) this.append(this.#note, this.#timeline, this.#clipping.element);
    this.#here = new AbortController();
    const { signal } = this.#here;
    this.#data = new TimelineData({
      load: (fromMs, toMs, resolutionMs, cut) =>
        this.#library.recordings.timeline(this.#camera, { fromMs, toMs, resolutionMs, rendition: this.#rendition, signal: cut }),
      now: () => this.#library.nowMs(),
      onchange: () => {
        this.#timeline.changed();
        this.#clipping.update();
      },
    });
    this.#timeline.data = this.#data;
    this.#timeline.previewer = !Scrub.supported ? null : ({ canvas, onPicture }) =>
      new Scrub({ canvas, recordings: this.#library.recordings, camera: this.#camera, rendition: this.#small, onPicture });
    signal.addEventListener('abort', this.#past.state.watch(() => this.#show()));
    signal.addEventListener('abort', this.#library.state.watch(() => {
      // The recorder has just answered.
      this.#data?.retry();
      this.#show();
    }));
    const timer = setInterval(() => this.#tick(), tickMs);
    signal.addEventListener('abort', () => clearInterval(timer));
    this.#tick();
  }

  disconnectedCallback() {
    this.#past.close();
    this.#here?.abort();
    this.#data?.close();
    this.#clipping.close();
    this.#timeline.previewer = null;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  get live() {
    return this.#past.state.value.live;
  }

  /** Whether the picture of the past is there. */
  get shown() {
    return this.#past.state.value.shown;
  }

  /** Whether what is shown has sound. */
  get sound() {
    return this.#past.state.value.sound;
  }

  /** When the picture that is shown was taken; empty if it is the present. @returns {string} */
  get badge() {
    const shown = this.shown || !this.#still.hidden;
    const ms = shown ? (this.#sought ?? this.#past.positionMs) : null;
    return ms === null ? '' : `${dayName(ms)}, ${clockInWords(ms)}`;
  }

  /** @param {import('./trust.js').Me | null} me what this browser may do */
  set me(me) {
    this.#admin = me?.rights[this.#camera]?.includes('admin') ?? false;
    this.#clipping.admin = this.#admin;
    this.#show();
  }

  /**
   * Handles a key.
   *
   * @param {string} key
   * @returns {boolean} whether it means something here
   */
  pressKey(key) {
    /** @type {Record<string, () => unknown>} */
    const keys = {
      ' ': () => this.#past.toggle(),
      k: () => this.#past.toggle(),
      j: () => this.#past.jump(-1),
      l: () => this.#past.jump(1),
      ',': () => this.#past.step(-1),
      '.': () => this.#past.step(1),
      '<': () => this.#past.changeRate(-1),
      '>': () => this.#past.changeRate(1),
      b: () => this.#goToEvent(-1),
      n: () => this.#goToEvent(1),
      End: () => this.#past.goLive(),
    };
    if (!Object.hasOwn(keys, key) || !this.#recorded) return false;
    void keys[key]();
    return true;
  }

  get #recorded() {
    return this.#library.camera(this.#camera);
  }

  /** What is played: the best there is. */
  get #rendition() {
    const streams = this.#recorded?.streams ?? [];
    return streams.find(({ rendition }) => rendition === 'main')?.rendition ?? streams[0]?.rendition;
  }

  /** What previews are made of: the smallest there is. */
  get #small() {
    return this.#recorded?.streams.find(({ rendition }) => rendition === 'sub')?.rendition ?? this.#rendition;
  }

  get #firstMs() {
    const streams = this.#recorded?.streams ?? [];
    const all = streams.map(({ fromMs }) => fromMs).filter((ms) => ms > 0);
    return all.length === 0 ? this.#library.nowMs() : Math.min(...all);
  }

  /** Moves the playhead: with the pictures while they run, else now and then. */
  #tick() {
    const { live, playing } = this.#past.state.value;
    const playheadMs = this.#past.positionMs;
    const recording = this.#recorded?.recording ?? false;
    this.#timeline.moment = { nowMs: this.#library.nowMs(), firstMs: this.#firstMs, playheadMs, recording };
    const [weekday] = dayName(playheadMs ?? this.#library.nowMs()).split(' ');
    setText(this.#weekday, `${weekday} `);
    setText(this.#date, dateName(playheadMs ?? this.#library.nowMs()));
    if (this.#saidUntil !== 0 && performance.now() > this.#saidUntil) this.#say('');
    const { badge } = this;
    if (badge !== this.#badge) this.dispatchEvent(new CustomEvent('sl-mode'));
    this.#badge = badge;
    if (!live && playing && this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        if (this.isConnected) this.#tick();
      });
    }
  }

  /** Brings everything to the state of the recorder and of the playback. */
  #show() {
    const camera = this.#recorded;
    const { phase } = this.#library.state.value;
    const { live, shown, playing, rate, gap } = this.#past.state.value;
    this.hidden = phase !== 'refused' && !camera;
    const usable = camera !== null;
    this.#timeline.hidden = !usable;
    for (const part of [...this.lead, ...this.tools]) part.hidden = !usable;
    this.#privacy.hidden = !usable || !this.#admin;
    const any = this.#firstMs < this.#library.nowMs();
    this.#transport.show({ live, playing, rate, any });
    this.#mark.disabled = !any;
    this.#showNote();
    const words = camera && live ? pauseInWords(camera) : '';
    this.#paused.hidden = words === '';
    setText(/** @type {Element} */ (this.#paused.lastElementChild), words);
    if (camera) this.#privacy.show(camera, () => this.#library.nowMs());
    this.video.toggleAttribute('data-shown', shown);
    if (this.#sought === null && (live || shown)) this.#still.hidden = true;
    void this.#sayGap(gap);
    this.#showNotice();
    this.dispatchEvent(new CustomEvent('sl-mode'));
    this.#tick();
  }

  #showNote() {
    const { phase, disks } = this.#library.state.value;
    const camera = this.#recorded;
    const broken = this.#admin ? disks.find(({ usable }) => !usable) : undefined;
    let words = '';
    let tone = 'quiet';
    if (phase === 'refused') words = 'You may watch live. The recordings are not shared with you; an owner can change that.';
    else if (broken) [words, tone] = [`A disk cannot be used. ${broken.reason}`, 'careful'];
    else if (camera && !camera.recording && !camera.paused && camera.reason) [words, tone] = [`Not recording. ${camera.reason}`, 'careful'];
    this.#note.hidden = words === '';
    this.#note.dataset.tone = tone;
    setText(this.#note, words);
  }

  /** Says why something was left out. @param {{ fromMs: number, toMs: number } | null} range */
  async #sayGap(range) {
    const key = range ? `${range.fromMs} ${range.toMs}` : '';
    if (key === this.#gapSaid) return;
    this.#gapSaid = key;
    // Elsewhere it says nothing any more.
    if (!range) return this.#say('');
    const known = (/** @type {import('./timeline-data.js').Gap[]} */ gaps) => gaps.find(({ fromMs, toMs }) => fromMs < range.toMs && toMs > range.fromMs);
    let gap = known(this.#timeline.piece.gaps);
    try {
      gap ??= known((await this.#library.recordings.timeline(this.#camera, { ...range, resolutionMs: 100, rendition: this.#rendition })).gaps);
    } catch (error) {
      console.debug('sightline: the cause of a gap is not known', error);
    }
    if (this.#gapSaid === key && gap?.cause !== 'clock-step') this.#say(gapInWords(gap ?? { ...range, cause: 'unknown', text: '' }));
  }

  /** @param {string} words to be said for a while */
  #say(words) {
    this.#saying = words;
    this.#saidUntil = words === '' ? 0 : performance.now() + saidMs;
    this.#showNotice();
  }

  #showNotice() {
    const { live, busy, ended, message } = this.#past.state.value;
    const ms = this.#past.positionMs;
    const loading = busy && !live && ms !== null && !message;
    let words = message || this.#saying;
    if (!words && loading) words = `Loading ${clockInWords(ms)}`;
    if (!words && ended && !live) words = 'This is where the recording ends';
    this.#notice.hidden = words === '';
    this.#spinner.hidden = !loading;
    this.#again.hidden = message === '';
    setText(this.#said, words);
  }

  /** @param {string} what */
  #do(what) {
    const past = this.#past;
    if (what === 'toggle') void past.toggle();
    else if (what === 'step-back') void past.step(-1);
    else if (what === 'step-on') void past.step(1);
    else if (what === 'event-back') void this.#goToEvent(-1);
    else if (what === 'event-on') void this.#goToEvent(1);
    else if (what === 'live') this.#goLive();
  }

  #goLive() {
    this.#past.goLive();
    this.#say('');
    this.#timeline.reveal(this.#library.nowMs());
  }

  /** @param {1 | -1} direction */
  async #goToEvent(direction) {
    try {
      const found = await this.#past.goToEvent(direction);
      const at = this.#past.positionMs;
      if (found && at !== null) this.#timeline.reveal(at);
      if (!found) this.#say(direction === 1 ? 'No event after this' : 'No event before this');
    } catch (error) {
      this.#say(refusalInWords(error));
    }
  }

  #openDays() {
    const nowMs = this.#library.nowMs();
    this.#days.open(this.#past.positionMs ?? nowMs, { firstMs: this.#firstMs, nowMs });
  }

  /** @param {{ fromMs: number, toMs: number }} day shows it, from its first recording on */
  async #goToDay({ fromMs, toMs }) {
    this.#dayPanel.hidePopover();
    const nowMs = this.#library.nowMs();
    this.#timeline.show(fromMs, Math.min(toMs, Math.max(nowMs, fromMs + 3_600_000)));
    let ms = fromMs;
    try {
      const range = { fromMs, toMs, resolutionMs: 60_000, rendition: this.#rendition };
      const { ranges } = await this.#library.recordings.timeline(this.#camera, range);
      ms = Math.max(fromMs, ranges[0]?.[0] ?? fromMs);
    } catch (error) {
      console.debug('sightline: a day is shown from its beginning', error);
    }
    void this.#past.goTo(ms);
  }

  /** @param {number | null} untilMs null: recording goes on */
  async #pause(untilMs) {
    const { recordings } = this.#library;
    try {
      if (untilMs === null) await recordings.resume(this.#camera);
      else await recordings.pause(this.#camera, { untilMs });
      this.#library.refresh();
      this.#data?.refresh();
    } catch (error) {
      this.#say(refusalInWords(error));
    }
  }

  #listenToTimeline() {
    const timeline = this.#timeline;
    timeline.addEventListener('sl-seek', (event) => void this.#past.goTo(/** @type {CustomEvent} */ (event).detail.ms));
    timeline.addEventListener('sl-live', () => this.#goLive());
    timeline.addEventListener('sl-scrub', (event) => this.#scrub(/** @type {CustomEvent} */ (event).detail.ms));
    timeline.addEventListener('sl-picture', () => this.#drawStill());
  }

  /** @param {number | null} ms a moment that is being looked for */
  #scrub(ms) {
    this.#sought = ms;
    if (ms !== null) return;
    // If that moment is taken now, the still stays until its picture is there.
    const target = this.#past.positionMs;
    queueMicrotask(() => {
      if (this.#sought === null && this.#past.positionMs === target) this.#still.hidden = true;
    });
  }

  /** Shows the key frame of the moment that is being looked for where the picture is. */
  #drawStill() {
    const { previewCanvas } = this.#timeline;
    if (this.#sought === null || previewCanvas.width === 0) return;
    this.#still.width = previewCanvas.width;
    this.#still.height = previewCanvas.height;
    this.#still.getContext('2d')?.drawImage(previewCanvas, 0, 0);
    this.#still.hidden = false;
  }
}

/** @param {string} name @param {string} label @param {() => void} onclick */
function tool(name, label, onclick) {
  return h('button', { type: 'button', class: 'control', title: label, 'aria-label': label, 'data-testid': name, onclick }, icon(name));
}

customElements.define('sl-past', SlPast);
