import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { SlDevices } from './sl-devices.js';
import { SlDialog } from './sl-dialog.js';
import { SlLog } from './sl-log.js';
import { SlPeople } from './sl-people.js';
import { SlTabs } from './sl-tabs.js';
import { clockInWords, failureInWords } from './sl-words.js';

/** While it is open, what it shows is read again after this long, in milliseconds. */
const refreshMs = 5000;

/**
 * @typedef {object} Place what is on the screen
 * @property {string} publisher its PeerID
 * @property {import('./publisher.js').Camera[]} cameras
 */

/**
 * Who has access, which devices know, and what has happened. Passes on the
 * event "sl-share" of a person who wants to share; its detail is
 * { owner: boolean }.
 */
export class SlAccess extends SlDialog {
  #trust;
  /** @type {Place} */ #place = { publisher: '', cameras: [] };
  #people;
  #devices;
  #log;
  #tabs;
  #warning = notice(
    'bad',
    'warning',
    'The log is not the one that this browser knows',
    'log-warning',
    h('button', { type: 'button', class: 'button small', 'data-testid': 'log-show', onclick: () => this.#tabs.choose('log') }, 'Look at it'),
    h('button', { type: 'button', class: 'button small', 'data-testid': 'log-accept', onclick: () => void this.#log.accept() }, 'I know why, go on with this one'),
  );
  #settle = h('button', { type: 'button', class: 'button small', 'data-testid': 'access-settle', onclick: () => void this.#join() }, 'Keep it as it is now');
  #conflict = notice('careful', 'warning', 'Two owners disagree', 'access-conflict', this.#settle);
  #clock = notice('careful', 'clock', 'The agent’s clock is wrong', 'access-clock');
  #problem = notice(
    'bad',
    'unplug',
    'This could not be read',
    'access-problem',
    h('button', { type: 'button', class: 'button small', onclick: () => void this.#load() }, 'Try again'),
  );
  /** @type {ReturnType<typeof setInterval> | undefined} */ #refreshing;
  #clockReadMs = Date.now();
  /** @type {import('./trust.js').Me['clock'] | null} */ #lastClock = null;

  /** @param {import('./trust.js').Trust} trust */
  constructor(trust) {
    super('access', 'Access');
    this.#trust = trust;
    this.#people = new SlPeople(trust);
    this.#devices = new SlDevices(trust);
    this.#log = new SlLog(trust);
    this.#tabs = new SlTabs('access', [
      { id: 'people', label: 'People', panel: this.#people },
      { id: 'devices', label: 'Devices', panel: this.#devices },
      { id: 'log', label: 'Log', panel: this.#log },
    ]);
    this.#tabs.addEventListener('sl-tab', (event) => {
      this.#say('');
      if (/** @type {CustomEvent<string>} */ (event).detail === 'log') void this.#log.load();
    });
    this.#log.addEventListener('sl-problem', (event) => this.#say(/** @type {CustomEvent<string>} */ (event).detail));
    this.body.append(h('div', { class: 'notes' }, this.#warning, this.#conflict, this.#clock, this.#problem), this.#tabs);
    trust.state.watch((state) => this.#update(state));
    this.addEventListener('sl-close', () => clearInterval(this.#refreshing));
  }

  /** @param {Place} place */
  open(place) {
    this.#place = place;
    this.#people.settle();
    this.#devices.settle();
    this.#tabs.choose('people');
    this.show();
    this.#update(this.#trust.state.value);
    void this.#load();
    clearInterval(this.#refreshing);
    // Guests come and devices are reached meanwhile; a miss is made up for by the next.
    this.#refreshing = setInterval(() => void this.#trust.listAccess().catch(() => {}), refreshMs);
  }

  async #load() {
    this.#say('');
    try {
      await this.#trust.listAccess();
    } catch (error) {
      this.#say(failureInWords(error));
    }
  }

  /** Signs what is in force now, which joins the lists of owners who disagree. */
  async #join() {
    try {
      await this.#trust.settle();
    } catch (error) {
      this.#say(failureInWords(error));
    }
  }

  /** @param {string} problem a sentence, or empty */
  #say(problem) {
    this.#problem.hidden = problem === '';
    setText(/** @type {Element} */ (this.#problem.querySelector('p')), problem);
  }

  /** @param {import('./trust.js').TrustState} state */
  #update({ me, access, logWarning }) {
    if (me && me.clock !== this.#lastClock) {
      this.#lastClock = me.clock;
      this.#clockReadMs = Date.now();
    }
    if (!this.shown) return;
    tell(this.#warning, logWarning);
    tell(this.#conflict, access?.conflict ? conflictWords : '');
    this.#settle.hidden = me?.role !== 'owner';
    tell(this.#clock, me ? clockInWords(me.clock, this.#clockReadMs) : '');
    if (!access) return;
    this.#people.update({ me, access, ...this.#place });
    this.#devices.update(access, me, this.#place.publisher);
  }
}

const conflictWords =
  'They signed different changes without knowing of each other. What either of them took away stays taken away until an owner ' +
  'makes the next change, which settles it. Look through the list first.';

/** @param {HTMLElement} note @param {string} text a sentence, or empty to hide the note */
function tell(note, text) {
  note.hidden = text === '';
  setText(/** @type {Element} */ (note.querySelector('p')), text);
}

/**
 * @param {'bad' | 'careful'} tone
 * @param {string} symbol
 * @param {string} title
 * @param {string} testid
 * @param {...Node} actions
 */
function notice(tone, symbol, title, testid, ...actions) {
  return h(
    'div',
    { class: 'note', 'data-tone': tone, role: 'alert', hidden: true, 'data-testid': testid },
    icon(symbol),
    h('div', { class: 'note-text' }, h('strong', {}, title), h('p', {}), actions.length > 0 ? h('div', { class: 'card-actions' }, ...actions) : null),
  );
}

customElements.define('sl-access', SlAccess);
