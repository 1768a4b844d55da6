import { h } from './dom.js';
import { icon } from './icons.js';
import { SlDialog } from './sl-dialog.js';
import { SlPeerId } from './sl-peer-id.js';

/** The keys of the page, for the list in the dialog. @type {[string, string][]} */
const shortcuts = [
  ['m', 'Sound on or off'],
  ['f', 'Full screen'],
  ['s', 'Statistics'],
  ['p', 'Picture in picture'],
  ['↑ ↓', 'Louder, quieter'],
  ['← →', 'Previous, next camera'],
  ['g', 'All cameras'],
];

/** The keys of recordings. @type {[string, string][]} */
const pastShortcuts = [
  ['space', 'Pause, play'],
  ['j l', 'Ten seconds back, on'],
  [', .', 'Picture before, next picture'],
  ['< >', 'Slower, faster'],
  ['b n', 'Event before, next event'],
  ['End', 'Back to live'],
];

/** A dialog about this browser: its identity, where its key is kept, where the page comes from, and the keys. */
export class SlAbout extends SlDialog {
  #id = new SlPeerId();
  #role = h('p', { class: 'quiet', 'data-testid': 'about-role' });
  #stored = h('p', { 'data-testid': 'about-storage' });
  #keep = h('button', { type: 'button', class: 'button', hidden: true, 'data-testid': 'about-keep', onclick: () => void this.#ask() },
    'Ask the browser to keep it');
  #origin = h('p', {});

  constructor() {
    super('about', 'This browser');
    this.body.append(
      h('p', { class: 'quiet' }, 'Agents know this browser by its ID. It is the same in all its tabs.'),
      this.#id,
      this.#role,
      fact('key', 'Its key', this.#stored, this.#keep),
      fact(
        'warning',
        'If site data is cleared',
        h(
          'p',
          { 'data-testid': 'about-cleared' },
          'The key is gone for good, and with it all access: this browser gets a new ID that nobody knows. ' +
            'An owner can invite it again. If it is the only owner, run ',
          h('code', {}, 'sightline pair --reset'),
          ' on the device. So make one more of your devices an owner.',
        ),
      ),
      fact('device', 'The page itself', this.#origin),
      h('h3', {}, 'Keys'),
      keysOf(shortcuts),
      h('h3', {}, 'Keys for recordings'),
      keysOf(pastShortcuts),
    );
  }

  /**
   * @param {import('./identity.js').Identity} identity
   * @param {import('./trust.js').Me | null} me what the publisher on the screen says
   */
  open({ peerId, persistent }, me) {
    this.#id.peer = peerId;
    this.#role.textContent = me ? describeRole(me) : '';
    this.#role.hidden = this.#role.textContent === '';
    this.#origin.textContent =
      `Its code comes from ${location.host}. Whoever serves it decides what it does, and could read along. ` +
      'If that is somebody you do not trust, open the page from a machine of your own.';
    this.#tell(persistent, false);
    if (persistent) void this.#look();
    this.show();
  }

  /** @param {boolean} persistent whether the key is stored at all @param {boolean} kept whether the browser promises to keep it */
  #tell(persistent, kept) {
    this.#keep.hidden = !persistent || kept || !navigator.storage?.persist;
    const place = 'It is stored in this browser only, and cannot be taken out of it. ';
    if (!persistent) this.#stored.textContent = 'This browser stores nothing for this page: the ID is another one the next time.';
    else if (kept) this.#stored.textContent = `${place}The browser keeps it until you clear this site’s data.`;
    else this.#stored.textContent = `${place}The browser may drop it when it runs short of space, or if you do not come back for long.`;
  }

  async #look() {
    this.#tell(true, (await navigator.storage?.persisted?.()) ?? false);
  }

  async #ask() {
    const kept = await navigator.storage.persist();
    this.#tell(true, kept);
    if (!kept) this.#stored.textContent += ' It does not promise more at the moment; it may once you use this page often, or install it.';
  }
}

/** @param {import('./trust.js').Me} me */
function describeRole({ role, name, device, expires }) {
  const as = [name, device].filter(Boolean).join(', ');
  const until = expires ? ` until ${new Date(expires).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })}` : '';
  switch (role) {
    case 'owner':
      return `It is an owner of the agent on the screen${as ? `, as ${as}` : ''}.`;
    case 'guest':
      return `It is a guest of the agent on the screen${as ? `, as ${as}` : ''}${until}.`;
    case 'listed':
      return 'It is on the list of those who may watch the agent on the screen.';
    case 'open':
      return 'Everybody may watch the agent on the screen.';
    default:
      return '';
  }
}

/** @param {[string, string][]} keys */
function keysOf(keys) {
  return h('dl', { class: 'keys' }, ...keys.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)]));
}

/** @param {string} symbol @param {string} title @param {...Node} content */
function fact(symbol, title, ...content) {
  return h('section', { class: 'fact' }, icon(symbol), h('div', {}, h('h3', {}, title), ...content));
}

customElements.define('sl-about', SlAbout);
