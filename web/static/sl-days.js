import { shareOf, weeksOf } from './days.js';
import { h, redraw, setText } from './dom.js';
import { icon } from './icons.js';
import { dateKey, months, spokenDay } from './local-time.js';
import { durationInWords } from './timeline-words.js';

/** @typedef {import('./recordings.js').RecordedDay} RecordedDay */

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/**
 * A month of which each day shows how much of it is recorded, and whether
 * something happened. Event "sl-day" { fromMs, toMs, key } when one is chosen.
 */
export class SlDays extends HTMLElement {
  #title = h('h2', { class: 'days-title', 'aria-live': 'polite' });
  #back = this.#turn('back', 'Previous month', -1);
  #next = this.#turn('next', 'Next month', 1);
  #weeks = h('tbody', {});
  #note = h('p', { class: 'days-note', role: 'status' });
  /** @type {(from: string, to: string, signal: AbortSignal) => Promise<RecordedDay[]>} */ #load = async () => [];
  #month = new Date(0);
  #chosen = '';
  #limits = { firstMs: 0, nowMs: 0 };
  /** @type {Map<string, RecordedDay>} */ #days = new Map();
  #loading = new AbortController();

  connectedCallback() {
    if (this.#title.isConnected) return;
    this.append(
      h('div', { class: 'days-head' }, this.#back, this.#title, this.#next),
      h(
        'table',
        { class: 'days-table', role: 'grid', 'aria-label': 'Days', onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) },
        h('thead', {}, h('tr', {}, ...weekdays.map((name) => h('th', { scope: 'col' }, name)))),
        this.#weeks,
      ),
      this.#note,
    );
  }

  disconnectedCallback() {
    this.#loading.abort();
  }

  /** @param {(from: string, to: string, signal: AbortSignal) => Promise<RecordedDay[]>} load asks for days, by their dates, inclusive */
  set load(load) {
    this.#load = load;
  }

  /**
   * Shows the month of a moment.
   *
   * @param {number} ms
   * @param {{ firstMs: number, nowMs: number }} limits where recordings begin, and now
   */
  open(ms, limits) {
    this.#limits = limits;
    this.#chosen = dateKey(ms);
    const date = new Date(ms);
    this.#show(date.getFullYear(), date.getMonth());
  }

  /** @param {number} year @param {number} month */
  #show(year, month) {
    this.#month = new Date(year, month, 1);
    setText(this.#title, `${months[this.#month.getMonth()]} ${this.#month.getFullYear()}`);
    const first = new Date(this.#limits.firstMs);
    this.#back.disabled = this.#month <= new Date(first.getFullYear(), first.getMonth(), 1);
    this.#next.disabled = new Date(year, month + 1, 1).getTime() > this.#limits.nowMs;
    this.#draw();
    void this.#ask();
  }

  async #ask() {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    const weeks = weeksOf(this.#month.getFullYear(), this.#month.getMonth());
    try {
      const days = await this.#load(weeks[0][0].key, weeks[weeks.length - 1][6].key, signal);
      if (signal.aborted) return;
      for (const day of days) this.#days.set(day.date, day);
      setText(this.#note, days.some(({ recordedMs }) => recordedMs > 0) ? '' : 'Nothing is recorded in this month.');
      this.#draw();
    } catch (error) {
      if (signal.aborted) return;
      console.warn('sightline: the days of recordings cannot be read', error);
      setText(this.#note, 'The recorder did not answer. Open this again in a moment.');
    }
  }

  #draw() {
    const weeks = weeksOf(this.#month.getFullYear(), this.#month.getMonth());
    const within = weeks.flat().filter(({ inside }) => inside);
    const entry = within.find(({ key }) => key === this.#chosen) ?? within.findLast((day) => this.#has(day)) ?? within[0];
    redraw(this.#weeks, ...weeks.map((week) => h('tr', {}, ...week.map((day) => h('td', {}, this.#cell(day, day.key === entry.key))))));
  }

  /** @param {import('./days.js').Day} day @param {boolean} entry whether it is the one in the tab order */
  #cell(day, entry) {
    const { key, inside } = day;
    const { recordedMs = 0, events = 0 } = this.#days.get(key) ?? {};
    const share = shareOf(recordedMs, day, this.#limits.nowMs);
    const bar = h('span', { class: 'day-bar' });
    bar.style.setProperty('--share', String(recordedMs > 0 ? Math.max(0.08, share) : 0));
    const what = [recordedMs > 0 ? `${durationInWords(recordedMs)} recorded` : 'nothing recorded', eventCount(events)].filter(Boolean);
    return h(
      'button',
      {
        type: 'button', class: 'day', 'data-key': key, 'data-first': entry, tabindex: entry ? 0 : -1,
        'aria-label': `${spokenDay(day.fromMs)}, ${what.join(', ')}`, title: what.join(', '),
        'aria-current': key === dateKey(this.#limits.nowMs) ? 'date' : null,
        'aria-pressed': String(key === this.#chosen),
        'aria-disabled': String(!this.#has(day)),
        'data-outside': !inside,
        onclick: () => this.#choose(day),
      },
      String(day.day),
      bar,
      events > 0 ? h('span', { class: 'day-events' }) : null,
    );
  }

  /** @param {import('./days.js').Day} day */
  #has({ key }) {
    return (this.#days.get(key)?.recordedMs ?? 0) > 0;
  }

  /** @param {import('./days.js').Day} day */
  #choose(day) {
    if (!this.#has(day)) return;
    const { key, fromMs, toMs } = day;
    this.dispatchEvent(new CustomEvent('sl-day', { detail: { key, fromMs, toMs } }));
  }

  /** @param {KeyboardEvent} event arrows go from day to day, pages from month to month */
  #key(event) {
    const key = /** @type {HTMLElement} */ (event.target).dataset.key;
    if (!key) return;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    const turn = { PageUp: this.#back, PageDown: this.#next }[event.key];
    if (by === undefined && !turn) return;
    event.preventDefault();
    event.stopPropagation();
    if (turn) {
      if (!turn.disabled) turn.click();
    } else {
      const [year, month, day] = key.split('-').map(Number);
      const next = new Date(year, month - 1, day + Number(by));
      if (next.getTime() > this.#limits.nowMs) return;
      if (next.getMonth() !== this.#month.getMonth()) this.#show(next.getFullYear(), next.getMonth());
      this.#focus(dateKey(next.getTime()));
      return;
    }
    this.#focus('');
  }

  /** @param {string} key the day, or empty for the one in the tab order */
  #focus(key) {
    const days = /** @type {HTMLElement[]} */ ([...this.#weeks.querySelectorAll('.day')]);
    const day = days.find((each) => (key ? each.dataset.key === key : each.tabIndex === 0));
    for (const each of days) each.tabIndex = each === day ? 0 : -1;
    day?.focus();
  }

  /** @param {'back' | 'next'} name @param {string} label @param {number} by */
  #turn(name, label, by) {
    const turn = () => this.#show(this.#month.getFullYear(), this.#month.getMonth() + by);
    return h('button', { type: 'button', class: 'control', title: label, 'aria-label': label, onclick: turn }, icon(name));
  }
}

/** @param {number} events */
function eventCount(events) {
  return events === 0 ? '' : events === 1 ? '1 event' : `${events} events`;
}

customElements.define('sl-days', SlDays);
