import { h, setText } from './dom.js';
import { SlCopy } from './sl-copy.js';
import { SlDialog } from './sl-dialog.js';
import { durations, failureInWords, rights, untilInWords } from './sl-words.js';

/**
 * @typedef {object} Shared what the dialog is about
 * @property {import('./trust.js').Me} me
 * @property {import('./publisher.js').Camera[]} cameras of the publisher on the screen
 */

/** A dialog to invite somebody: who, what, how long; then the link and its QR code. */
export class SlShare extends SlDialog {
  #trust;
  /** @type {Shared | null} */ #shared = null;
  #name = h('input', { id: 'share-name', type: 'text', autocomplete: 'off', maxlength: 64, 'data-testid': 'share-name',
    'aria-describedby': 'share-error', placeholder: 'For example Anna' });
  #error = h('p', { class: 'form-error', id: 'share-error', role: 'alert', 'data-testid': 'share-error' });
  #create = h('button', { type: 'submit', class: 'button primary', 'data-testid': 'share-create' }, 'Make the link');
  #options = h('div', { class: 'fields' });
  #some = h('div', { class: 'sub-choices', hidden: true });
  #busy = false;

  /** @param {import('./trust.js').Trust} trust */
  constructor(trust) {
    super('share', 'Share');
    this.#trust = trust;
  }

  /** @param {Shared} shared @param {{ owner?: boolean }} [options] owner: begin with one of the person's own devices */
  open(shared, { owner = false } = {}) {
    this.#shared = shared;
    this.#name.value = owner ? shared.me.name : '';
    this.#ask(owner);
    this.show();
    this.#name.focus();
  }

  /** Shows the form, as it is for somebody new. @param {boolean} owner */
  #ask(owner) {
    if (!this.#shared) return;
    const { me, cameras } = this.#shared;
    const mine = me.role === 'owner';
    const allowed = new Set(mine ? rights.map(({ right }) => right) : Object.values(me.rights).flat());
    setText(this.#error, '');
    this.#busy = false;
    this.#setBusy(false);
    this.#options.hidden = owner;
    this.#options.replaceChildren(
      h(
        'fieldset',
        { class: 'choices' },
        h('legend', {}, 'What may they do?'),
        ...rights
          .filter(({ right }) => allowed.has(right))
          .map(({ right, label, detail }) => choice('checkbox', 'right', right, label, detail, right === 'live', `share-right-${right}`)),
      ),
      ...(cameras.length > 1 ? [this.#cameraChoice(cameras)] : []),
      h(
        'fieldset',
        {},
        h('legend', {}, 'For how long?'),
        h('div', { class: 'segments' }, ...durations.map(({ id, label }) => segment('duration', id, label, id === 'week', `share-for-${id}`))),
      ),
      choice('checkbox', 'pass', 'pass', 'They may invite others', 'To the same or less. Taking their access away takes that of their guests too.', false, 'share-pass'),
    );
    this.body.replaceChildren(
      h(
        'form',
        { class: 'fields', novalidate: true, 'data-testid': 'share-form', onsubmit: (/** @type {SubmitEvent} */ event) => void this.#submit(event) },
        mine ? this.#whose(owner) : null,
        h('div', { class: 'field' }, h('label', { for: 'share-name' }, 'Name'), this.#name),
        this.#options,
        h('div', { class: 'form-foot' }, this.#error, h('div', { class: 'card-actions' }, this.#create)),
      ),
    );
  }

  /** @param {boolean} owner */
  #whose(owner) {
    const changed = (/** @type {Event} */ event) => {
      const own = /** @type {HTMLInputElement} */ (event.target).value === 'owner';
      this.#options.hidden = own;
      if (own && this.#name.value === '') this.#name.value = this.#shared?.me.name ?? '';
    };
    return h(
      'fieldset',
      { onchange: changed },
      h('legend', {}, 'Who is it for?'),
      choice('radio', 'whose', 'guest', 'Somebody else', 'A guest: sees and does what you choose here.', !owner, 'share-guest'),
      choice('radio', 'whose', 'owner', 'One of my own devices', 'It becomes an owner: it sees everything, and can share and revoke as this browser can.', owner, 'share-owner'),
    );
  }

  /** @param {import('./publisher.js').Camera[]} cameras */
  #cameraChoice(cameras) {
    const changed = (/** @type {Event} */ event) => {
      const input = /** @type {HTMLInputElement} */ (event.target);
      if (input.name === 'which') this.#some.hidden = input.value !== 'some';
    };
    this.#some.hidden = true;
    this.#some.replaceChildren(
      ...cameras.map(({ id, name }) => choice('checkbox', 'camera', id, name || id, '', false, `share-camera-${id}`)),
    );
    return h(
      'fieldset',
      { onchange: changed },
      h('legend', {}, 'Which cameras?'),
      choice('radio', 'which', 'all', 'All', this.#shared?.me.role === 'owner' ? 'Those added later too.' : 'All that you may see.', true, 'share-cameras-all'),
      choice('radio', 'which', 'some', 'Only some', '', false, 'share-cameras-some'),
      this.#some,
    );
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const wrong = this.#check(form);
    this.#name.setAttribute('aria-invalid', String(wrong !== '' && this.#name.value.trim() === ''));
    setText(this.#error, wrong);
    if (wrong !== '' || this.#busy || !this.#shared) return;
    const request = toRequest(form, this.#name.value.trim());
    this.#setBusy(true);
    try {
      this.#result(request, await this.#trust.createInvite(request));
    } catch (error) {
      setText(this.#error, failureInWords(error));
    }
    this.#setBusy(false);
  }

  /** @param {FormData} form @returns {string} what is missing, or empty */
  #check(form) {
    if (this.#name.value.trim() === '') {
      this.#name.focus();
      return 'Enter a name, so that you know later whose access this is.';
    }
    if (form.get('whose') === 'owner') return '';
    if (form.getAll('right').length === 0) return 'Choose at least one thing that they may do.';
    if (form.get('which') === 'some' && form.getAll('camera').length === 0) return 'Choose at least one camera.';
    return '';
  }

  /** @param {boolean} busy */
  #setBusy(busy) {
    this.#busy = busy;
    setText(this.#create, busy ? 'Making the link…' : 'Make the link');
    this.#create.setAttribute('aria-disabled', String(busy));
  }

  /** @param {import('./trust.js').InviteRequest} request @param {{ link: string, expires: number }} invite */
  #result({ name, owner }, { link, expires }) {
    const title = h('h3', { tabindex: -1, class: 'result-title' }, owner ? 'Open this link on your other device' : `Give this link to ${name}`);
    const text = h('input', { type: 'text', readonly: true, value: link, 'aria-label': 'Link', 'data-testid': 'share-link',
      onfocus: () => text.select() });
    const copy = new SlCopy();
    copy.text = link;
    copy.label = 'Copy the link';
    copy.source = text;
    const picture = h('div', { class: 'qr', 'data-testid': 'share-qr' });
    const share = typeof navigator.share === 'function';
    this.body.replaceChildren(
      title,
      h('p', { class: 'quiet', 'data-testid': 'share-until' },
        `It works once, ${untilInWords(expires)}. Whoever opens it first gets the access, so give it to nobody else.`),
      picture,
      h('div', { class: 'link-row' }, text, copy),
      h(
        'div',
        { class: 'card-actions' },
        h('button', { type: 'button', class: 'button primary', 'data-testid': 'share-done', onclick: () => this.close() }, 'Done'),
        share ? h('button', { type: 'button', class: 'button', onclick: () => void send(name, link) }, 'Send…') : null,
        h('button', { type: 'button', class: 'button', 'data-testid': 'share-another', onclick: () => this.#again() }, 'Share with another'),
      ),
    );
    title.focus();
    void this.#draw(picture, link);
  }

  #again() {
    this.#name.value = '';
    this.#ask(false);
    this.#name.focus();
  }

  /** @param {HTMLElement} place @param {string} link */
  async #draw(place, link) {
    try {
      const svg = await this.#trust.qr(link);
      // As an image it can run nothing, whatever the agent has sent.
      place.append(h('img', { src: `data:image/svg+xml,${encodeURIComponent(svg)}`, alt: 'QR code of the link', width: 232, height: 232 }));
    } catch (error) {
      console.debug('sightline: no QR code', error);
      place.hidden = true;
    }
  }
}

/**
 * @param {FormData} form
 * @param {string} name
 * @returns {import('./trust.js').InviteRequest}
 */
function toRequest(form, name) {
  // An owner may everything; the rest of the form says nothing about it.
  if (form.get('whose') === 'owner') return { name, owner: true, rights: [], cameras: ['*'], expiresSeconds: 0, pass: false };
  const granted = form.getAll('right').map(String);
  return {
    name,
    rights: rights.map(({ right }) => right).filter((right) => granted.includes(right)),
    cameras: form.get('which') === 'some' ? form.getAll('camera').map(String) : ['*'],
    expiresSeconds: durations.find(({ id }) => id === form.get('duration'))?.seconds ?? 0,
    pass: form.get('pass') !== null,
  };
}

/** @param {string} name @param {string} link */
async function send(name, link) {
  try {
    await navigator.share({ title: `Cameras for ${name}`, url: link });
  } catch (error) {
    console.debug('sightline: not sent', error);
  }
}

/**
 * @param {'checkbox' | 'radio'} type
 * @param {string} name
 * @param {string} value
 * @param {string} label
 * @param {string} detail
 * @param {boolean} checked
 * @param {string} testid
 */
function choice(type, name, value, label, detail, checked, testid) {
  return h(
    'label',
    { class: 'choice' },
    h('input', { type, name, value, checked, 'data-testid': testid }),
    h('span', {}, h('span', { class: 'choice-label' }, label), detail ? h('span', { class: 'choice-detail' }, detail) : null),
  );
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} label
 * @param {boolean} checked
 * @param {string} testid
 */
function segment(name, value, label, checked, testid) {
  return h('label', { class: 'segment' }, h('input', { type: 'radio', name, value, checked, 'data-testid': testid }), h('span', {}, label));
}

customElements.define('sl-share', SlShare);
