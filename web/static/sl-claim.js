import { h, setText } from './dom.js';
import { icon, setIcon } from './icons.js';
import { shortPeerId } from './peerid.js';
import { deviceLabel, enumerate } from './sl-words.js';
import { describeClaim } from './status.js';

/** Longest name of a person or device, in characters. */
const longest = 64;

/** Where the last name that was entered is kept, so that it is entered once. */
const nameKey = 'sightline.name';

/**
 * @typedef {object} Introduction how this browser introduces itself to others
 * @property {string} name
 * @property {string} device
 * @property {'join' | 'new'} [home] where that was asked
 */

/** What was asked for, and what is said meanwhile. */
const words = {
  pair: {
    title: (/** @type {string} */ agent) => `Make this browser the owner of ${agent}?`,
    lead: 'The owner sees every camera and decides who else may. The link works once.',
    accept: 'Become the owner',
  },
  invite: {
    title: (/** @type {string} */ agent) => `You were invited to ${agent}`,
    lead: 'Accept, and this browser may see the cameras that were shared with it. The link works once.',
    accept: 'Accept',
  },
};

/** @type {Partial<Record<import('./publisher.js').ClaimState['phase'], string>>} */
const progress = {
  connecting: 'Connecting to the agent…',
  proving: 'Proving that the link is yours…',
};

/**
 * What a link that gives access leads to: who are you, one button, how it goes,
 * and why it did not work. Events: "sl-claim" with an Introduction as its
 * detail, "sl-claim-skip" to go on without the link.
 */
export class SlClaim extends HTMLElement {
  #kind;
  #peer;
  #symbol = h('span', { class: 'message-symbol' }, icon('key'));
  #title = h('h1', { tabindex: -1, id: 'claim-title', 'data-testid': 'claim-title' });
  #lead = h('p', { class: 'lead', 'data-testid': 'claim-detail' });
  #name = h('input', { id: 'claim-name', type: 'text', autocomplete: 'name', maxlength: longest, 'data-testid': 'pair-name',
    'aria-describedby': 'claim-name-error', placeholder: 'For example Anna' });
  #nameError = h('p', { class: 'form-error', id: 'claim-name-error', role: 'alert' });
  #device = h('input', { id: 'claim-device', type: 'text', autocomplete: 'off', maxlength: longest, 'data-testid': 'pair-device' });
  #accept = h('button', { type: 'submit', class: 'button primary', 'data-testid': 'pair-accept' });
  #progress = h('p', { class: 'claim-progress', role: 'status', 'data-testid': 'claim-progress' });
  #fields = h(
    'div',
    { class: 'fields' },
    h('div', { class: 'field' }, h('label', { for: 'claim-name' }, 'Your name'), this.#name, this.#nameError),
    h('div', { class: 'field' }, h('label', { for: 'claim-device' }, 'This device'), this.#device),
  );
  /** Whether to join a home that others own too: asked only where there is one. */
  #home = h('fieldset', { hidden: true, 'data-testid': 'pair-home' });
  #skip = h('button', { type: 'button', class: 'button', 'data-testid': 'claim-skip', onclick: () => this.#emit('sl-claim-skip') });
  /** @type {ReturnType<typeof setInterval> | undefined} */ #countdown;
  #phase = '';

  /**
   * @param {string} peer whose link it is
   * @param {'pair' | 'invite'} kind
   * @param {string} [agent] what it is called, if that is known
   */
  constructor(peer, kind, agent) {
    super();
    this.#kind = kind;
    this.#peer = agent || `agent ${shortPeerId(peer)}`;
    this.#name.value = rememberedName();
    this.#device.value = deviceLabel(navigator);
  }

  connectedCallback() {
    if (this.#title.isConnected) return;
    this.append(
      h(
        'form',
        { class: 'card', novalidate: true, 'aria-labelledby': 'claim-title', 'data-testid': 'claim-card',
          onsubmit: (/** @type {Event} */ event) => this.#submit(event) },
        this.#symbol,
        this.#title,
        this.#lead,
        this.#fields,
        this.#home,
        h('div', { class: 'card-actions' }, this.#accept, this.#skip),
        this.#progress,
      ),
    );
  }

  disconnectedCallback() {
    clearInterval(this.#countdown);
  }

  /** Puts the keyboard where a person begins. */
  takeFocus() {
    if (this.#phase !== 'asking') this.#title.focus();
    else (this.#name.value === '' ? this.#name : this.#accept).focus();
  }

  /**
   * Asks whether the agent joins the home that this browser owns with others.
   *
   * @param {string[]} others names of its other owners; none if there is nothing to ask
   */
  askHome(others) {
    if (this.#kind !== 'pair' || others.length === 0 || this.#home.childElementCount > 0) return;
    const who = enumerate(others);
    this.#home.append(
      h('legend', {}, 'Who else shall own it?'),
      choice('new', 'Only I', 'It begins a home of its own.', true),
      choice('join', enumerate(['I', ...others]), `It joins the home that you have with ${who}. They see everything there too, and can take you out.`, false),
    );
    this.#home.hidden = this.#fields.hidden;
  }

  /** Says that the link's secret is none. */
  broken() {
    this.#phase = 'broken';
    this.#fail('This link is not complete', 'Its end is missing or changed. Copy the whole link and open it again.', false);
  }

  /** @param {import('./publisher.js').ClaimState} claim */
  update({ phase, problem, retryAfterSeconds }) {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.dataset.phase = phase;
    clearInterval(this.#countdown);
    if (phase === 'failed' && problem) {
      const { title, detail, retry } = describeClaim(problem, this.#kind);
      this.#fail(title, detail, retry);
      if (retryAfterSeconds > 0) this.#count(retryAfterSeconds);
      this.#title.focus();
      return;
    }
    const working = phase !== 'asking';
    const { title, lead, accept } = words[this.#kind];
    setIcon(this.#symbol, this.#kind === 'pair' ? 'key' : 'mail');
    setText(this.#title, title(this.#peer));
    setText(this.#lead, lead);
    setText(this.#accept, accept);
    setText(this.#skip, 'Not now');
    setText(this.#progress, progress[phase] ?? '');
    this.#fields.hidden = false;
    this.#home.hidden = this.#home.childElementCount === 0;
    this.#home.disabled = working;
    this.#accept.hidden = false;
    this.#skip.hidden = working;
    for (const control of [this.#name, this.#device]) control.readOnly = working;
    // Not "disabled": the keyboard's focus stays where it is.
    this.#accept.setAttribute('aria-disabled', String(working));
  }

  /** @param {string} title @param {string} detail @param {boolean} retry */
  #fail(title, detail, retry) {
    this.dataset.phase = this.#phase;
    setIcon(this.#symbol, 'warning');
    setText(this.#title, title);
    setText(this.#lead, detail);
    setText(this.#progress, '');
    setText(this.#accept, 'Try again');
    setText(this.#skip, 'Go on without it');
    this.#fields.hidden = true;
    this.#home.hidden = true;
    this.#accept.hidden = !retry;
    this.#accept.setAttribute('aria-disabled', 'false');
    this.#skip.hidden = false;
  }

  /** @param {number} seconds until it is worth trying again */
  #count(seconds) {
    const until = performance.now() + seconds * 1000;
    const tick = () => {
      const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
      setText(this.#accept, left > 0 ? `Try again in ${clock}` : 'Try again');
      this.#accept.setAttribute('aria-disabled', String(left > 0));
      if (left === 0) clearInterval(this.#countdown);
    };
    this.#countdown = setInterval(tick, 250);
    tick();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    if (this.#accept.getAttribute('aria-disabled') === 'true' || this.#accept.hidden) return;
    const name = this.#name.value.trim();
    this.#name.setAttribute('aria-invalid', String(name === ''));
    setText(this.#nameError, name === '' ? 'Enter a name, so that others know who this is.' : '');
    if (name === '') return this.#name.focus();
    rememberName(name);
    /** @type {HTMLInputElement | null} */
    const chosen = this.#home.querySelector('input:checked');
    const home = chosen ? { home: /** @type {'join' | 'new'} */ (chosen.value) } : {};
    this.#emit('sl-claim', { name, device: this.#device.value.trim() || deviceLabel(navigator), ...home });
  }

  /** @param {string} type @param {Introduction} [detail] */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }
}

/** @param {'join' | 'new'} value @param {string} label @param {string} detail @param {boolean} checked */
function choice(value, label, detail, checked) {
  return h(
    'label',
    { class: 'choice' },
    h('input', { type: 'radio', name: 'home', value, checked, 'data-testid': `pair-home-${value}` }),
    h('span', {}, h('span', { class: 'choice-label' }, label), h('span', { class: 'choice-detail' }, detail)),
  );
}

/** @returns {string} */
function rememberedName() {
  try {
    return (localStorage.getItem(nameKey) ?? '').slice(0, longest);
  } catch {
    return '';
  }
}

/** @param {string} name */
function rememberName(name) {
  try {
    localStorage.setItem(nameKey, name);
  } catch {
    // Storage is off: it is entered again the next time.
  }
}

customElements.define('sl-claim', SlClaim);
