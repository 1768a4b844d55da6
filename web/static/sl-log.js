import { h, redraw, setText } from './dom.js';
import { icon } from './icons.js';
import { failureInWords, logInWords } from './sl-words.js';

/** Entries to a page of the list. */
const pageSize = 50;

/** The access log of the publisher on the screen, newest first. Event "sl-problem", with a sentence as its detail. */
export class SlLog extends HTMLElement {
  #trust;
  /** @type {import('./trust.js').LogEntry[]} */ #entries = [];
  #older = false;
  #shown = pageSize;
  #list = h('ol', { class: 'log', 'data-testid': 'access-log' });
  #more = h('button', { type: 'button', class: 'button', 'data-testid': 'access-log-more', hidden: true, onclick: () => this.#showMore() }, 'Show older ones');
  #end = h('p', { class: 'quiet', role: 'status', 'data-testid': 'access-log-end' }, 'Reading the log…');

  /** @param {import('./trust.js').Trust} trust */
  constructor(trust) {
    super();
    this.#trust = trust;
  }

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.append(
      h('p', { class: 'quiet' }, 'The device writes down who came, from where, and what was changed. This browser notices when entries are taken out or altered.'),
      this.#list,
      h('div', { class: 'card-actions' }, this.#more),
      this.#end,
    );
  }

  /** Reads what has been written since the last time. */
  async load() {
    await this.#read({});
  }

  /** Takes the log as it is now for the true one. */
  async accept() {
    await this.#read({ accept: true });
  }

  /** @param {{ accept?: boolean }} options */
  async #read(options) {
    try {
      const { entries, older } = await this.#trust.readLog(options);
      this.#entries = entries;
      this.#older = older;
      this.#draw();
    } catch (error) {
      setText(this.#end, '');
      this.dispatchEvent(new CustomEvent('sl-problem', { detail: failureInWords(error) }));
    }
  }

  #showMore() {
    const at = this.#shown;
    this.#shown += pageSize;
    this.#draw();
    /** @type {HTMLElement | undefined} */ (this.#list.querySelectorAll('li.log-line')[at])?.focus();
  }

  #draw() {
    const visible = this.#entries.slice(0, this.#shown);
    let day = '';
    const lines = visible.flatMap((entry) => {
      const then = new Date(entry.time);
      const date = Number.isNaN(then.getTime()) ? 'Unknown day' : then.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
      const line = logLine(entry, then);
      if (date === day) return [line];
      day = date;
      return [h('li', { class: 'log-day' }, date), line];
    });
    redraw(this.#list, ...lines);
    const rest = this.#entries.length - visible.length;
    this.#more.hidden = rest <= 0;
    if (this.#entries.length === 0) setText(this.#end, 'Nothing has been written yet.');
    else if (rest > 0) setText(this.#end, `${visible.length} of ${this.#entries.length} entries are shown.`);
    else setText(this.#end, this.#older ? 'Older entries are kept on the device.' : 'This is the first entry.');
  }
}

/** @param {import('./trust.js').LogEntry} entry @param {Date} then */
function logLine(entry, then) {
  const { title, detail, tone } = logInWords(entry);
  const time = Number.isNaN(then.getTime()) ? '' : then.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return h(
    'li',
    { class: 'log-line', tabindex: -1, 'data-testid': 'access-log-line', 'data-kind': entry.kind, 'data-tone': tone, 'data-seq': entry.seq },
    h('time', { datetime: entry.time, title: entry.time }, time),
    tone === 'careful' ? icon('warning') : h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('div', {}, h('span', { class: 'log-title' }, title), detail ? h('span', { class: 'log-detail' }, detail) : null),
  );
}

customElements.define('sl-log', SlLog);
