import { readAddress, writeAddress } from './address.js';
import { h } from './dom.js';
import { icon } from './icons.js';
import { parsePeerId, shortPeerId } from './peerid.js';
import { forget, listRecent } from './recent.js';
import { agoInWords } from './sl-words.js';

/** What the page shows when no agent is chosen: the known ones, and a place to enter another. */
export class SlWelcome extends HTMLElement {
  /** Set before it is shown: the address has a peer in it that is none. */
  malformed = false;

  connectedCallback() {
    this.#draw();
  }

  #draw() {
    const recent = listRecent();
    this.replaceChildren(
      h(
        'div',
        { class: 'welcome' },
        h('img', { src: '/logo.svg', alt: '', width: 72, height: 72, class: 'welcome-logo' }),
        h('h1', {}, recent.length > 0 ? 'Your cameras' : 'See your cameras'),
        h(
          'p',
          { class: 'lead' },
          recent.length > 0
            ? 'Choose an agent, or enter the link of another one.'
            : 'Video comes straight from the camera to this browser, encrypted all the way, and is kept nowhere in between.',
        ),
        recent.length > 0 ? h('ul', { class: 'agents' }, ...recent.map((entry) => this.#agent(entry))) : null,
        this.#form(),
        recent.length > 0
          ? null
          : h(
              'p',
              { class: 'hint' },
              'The agent prints its link when it starts. To see a test picture now, run ',
              h('code', {}, 'sightline demo'),
              '.',
            ),
      ),
    );
  }

  /** @param {import('./recent.js').Recent} entry */
  #agent({ peer, cameras, seenMs }) {
    const names = cameras.length > 3 ? `${cameras.slice(0, 3).join(', ')} and ${cameras.length - 3} more` : cameras.join(', ');
    const remove = () => {
      forget(peer);
      this.#draw();
      this.querySelector('input')?.focus();
    };
    return h(
      'li',
      {},
      h(
        'a',
        { href: writeAddress(peer), class: 'agent' },
        h('span', { class: 'agent-symbol' }, icon('camera')),
        h(
          'span',
          { class: 'agent-text' },
          h('strong', {}, names || 'Agent'),
          h('span', {}, `${shortPeerId(peer)}  ·  ${agoInWords(seenMs)}`),
        ),
        icon('arrow'),
      ),
      h(
        'button',
        { type: 'button', class: 'control', title: 'Forget', 'aria-label': `Forget ${names || shortPeerId(peer)}`, onclick: remove },
        icon('close'),
      ),
    );
  }

  #form() {
    const input = h('input', {
      id: 'peer',
      type: 'text',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      placeholder: 'Paste the agent’s link or ID',
      'aria-describedby': 'peer-error',
    });
    const error = h(
      'p',
      { class: 'form-error', id: 'peer-error', role: 'alert' },
      this.malformed ? 'The link’s ID is not complete. Copy the whole link and try again.' : '',
    );
    const submit = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const peer = parsePeerId(input.value);
      input.setAttribute('aria-invalid', String(peer === null));
      if (peer !== null) location.hash = fragmentOf(input.value) ?? writeAddress(peer);
      else error.textContent = 'That is not an agent’s ID: it has 52 letters and digits. Copy the whole link and try again.';
    };
    return h(
      'form',
      { class: 'enter', onsubmit: submit, novalidate: true },
      h('label', { for: 'peer', class: 'hidden' }, 'Link or ID of an agent'),
      h('div', { class: 'enter-row' }, input, h('button', { type: 'submit', class: 'button primary' }, 'Open')),
      error,
    );
  }
}

/**
 * The fragment of a link that gives access, which has to be kept whole.
 *
 * @param {string} text
 * @returns {string | null} null if it is no such link
 */
function fragmentOf(text) {
  const fragment = text.trim().replace(/^[^#]*/, '');
  const { claim, brokenClaim } = readAddress(fragment);
  return claim || brokenClaim ? fragment : null;
}

customElements.define('sl-welcome', SlWelcome);
