import { h, redraw, setText } from './dom.js';
import { icon } from './icons.js';
import { shortPeerId } from './peerid.js';
import { failureInWords, reachWords } from './sl-words.js';

/** The devices of a home, and which of them know the newest list; an owner can tell them again, and take one off. */
export class SlDevices extends HTMLElement {
  #trust;
  #summary = h('p', { class: 'quiet', role: 'status', 'data-testid': 'access-devices-summary' });
  #list = h('ul', { class: 'rows' });
  #again = h(
    'button',
    { type: 'button', class: 'button', 'data-testid': 'access-replicate', onclick: () => void this.#trust.replicate() },
    icon('retry'),
    'Try to reach them now',
  );
  #outcome = h('p', { class: 'quiet', role: 'status', tabindex: -1, hidden: true, 'data-testid': 'access-device-removed' });
  #drawn = '';
  /** @type {{ access: import('./trust.js').AccessView, me: import('./trust.js').Me | null, publisher: string } | null} */ #shown = null;
  /** The device whose row asks whether to go on. */ #asking = '';
  #working = false;
  #failure = '';

  /** @param {import('./trust.js').Trust} trust */
  constructor(trust) {
    super();
    this.#trust = trust;
  }

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.append(this.#summary, this.#outcome, this.#list, this.#again);
  }

  /** Forgets what was said about the last removal. */
  settle() {
    this.#asking = '';
    this.#failure = '';
    this.#tell('');
    this.#draw();
  }

  /**
   * @param {import('./trust.js').AccessView} access
   * @param {import('./trust.js').Me | null} me
   * @param {string} publisher the one on the screen
   */
  update(access, me, publisher) {
    this.#shown = { access, me, publisher };
    this.#draw();
  }

  #draw() {
    if (!this.#shown) return;
    const { access: { publishers, version }, me, publisher } = this.#shown;
    const key = JSON.stringify([publishers, version, me?.role, publisher, this.#asking, this.#working, this.#failure]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const missing = publishers.filter(({ state }) => state !== 'has it');
    if (publishers.length === 0) {
      setText(this.#summary, 'There is no list of owners yet: access at this agent was given on the device itself.');
    } else if (missing.length === 0) {
      setText(this.#summary, publishers.length === 1 ? 'The device knows the newest list.' : 'All devices know the newest list.');
    } else {
      setText(this.#summary, 'A device that was not reached goes by the list that it knows. It is told as soon as an owner’s page reaches it.');
    }
    const mine = me?.role === 'owner';
    this.#again.hidden = missing.length === 0 || !mine;
    redraw(
      this.#list,
      ...publishers.map((each) => {
        const row = deviceRow(each, 'access-device');
        if (mine && each.id !== publisher) row.append(this.#asking === each.id ? this.#confirm(each) : this.#offer(each));
        return row;
      }),
    );
  }

  /** @param {import('./trust.js').Reach} device */
  #offer({ id, name }) {
    const label = `Take off the list: ${name || shortPeerId(id)}`;
    const ask = () => this.#ask(id);
    return h('button', { type: 'button', class: 'button small', 'data-key': id, 'data-testid': 'access-device-remove', 'aria-label': label, onclick: ask }, 'Take off');
  }

  /** @param {import('./trust.js').Reach} device */
  #confirm(device) {
    const { id, name } = device;
    const question =
      `Take ${name || shortPeerId(id)} off this home’s list? Whoever was invited there loses that access at all devices. ` +
      'The device itself goes on by the list that it knows; reset it if you still have it.';
    const yes = { type: 'button', class: 'button danger', 'data-key': `${id}-yes`, 'data-testid': 'access-device-remove-confirm', 'aria-disabled': String(this.#working) };
    return h(
      'div',
      { class: 'confirm', role: 'group', 'aria-label': question },
      h('p', {}, question),
      this.#failure ? h('p', { class: 'form-error', role: 'alert', 'data-testid': 'access-device-error' }, this.#failure) : null,
      h(
        'div',
        { class: 'card-actions' },
        h('button', { ...yes, onclick: () => void this.#remove(device) }, this.#working ? 'One moment…' : 'Take off the list'),
        h('button', { type: 'button', class: 'button', 'data-key': `${id}-no`, 'data-testid': 'access-device-keep', onclick: () => this.#ask('') }, 'Keep'),
      ),
    );
  }

  /** @param {string} id of the device to ask about, or empty for none */
  #ask(id) {
    if (this.#working) return;
    const before = this.#asking;
    this.#asking = id;
    this.#failure = '';
    this.#tell('');
    this.#draw();
    this.#focus(id === '' ? before : `${id}-no`);
  }

  /** @param {import('./trust.js').Reach} device */
  async #remove({ id, name }) {
    if (this.#working) return;
    this.#working = true;
    this.#failure = '';
    this.#draw();
    try {
      await this.#trust.removeDevice(id);
      this.#asking = '';
      this.#tell(`${name || shortPeerId(id)} is off the list. The other devices are being told.`);
    } catch (error) {
      this.#failure = failureInWords(error);
    }
    this.#working = false;
    this.#draw();
    if (this.#failure) this.#focus(`${id}-yes`);
    else this.#outcome.focus();
  }

  /** @param {string} text what was done, or empty */
  #tell(text) {
    this.#outcome.hidden = text === '';
    setText(this.#outcome, text);
  }

  /** @param {string} key */
  #focus(key) {
    const elements = /** @type {HTMLElement[]} */ ([...this.querySelectorAll('[data-key]')]);
    elements.find((each) => each.dataset.key === key)?.focus();
  }
}

/**
 * @param {import('./trust.js').Reach} reach
 * @param {string} testid
 */
export function deviceRow({ id, name, kind, state, problem }, testid) {
  return h(
    'li',
    { class: 'row', 'data-testid': testid, 'data-peer': id, 'data-reach': state },
    h('span', { class: 'row-symbol' }, icon(kind === 'recorder' ? 'recorder' : 'camera')),
    h(
      'div',
      { class: 'row-text' },
      h('strong', {}, name || shortPeerId(id)),
      h('span', {}, [kind === 'recorder' ? 'Recorder' : 'Agent', name ? shortPeerId(id) : '', state === 'has it' ? '' : problem].filter(Boolean).join(' · ')),
    ),
    h('span', { class: 'mark' }, icon(state === 'has it' ? 'done' : 'clock'), reachWords[state] ?? state),
  );
}

customElements.define('sl-devices', SlDevices);
