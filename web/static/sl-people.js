import { h, redraw } from './dom.js';
import { icon } from './icons.js';
import { shortPeerId } from './peerid.js';
import { deviceRow } from './sl-devices.js';
import { camerasInWords, failureInWords, rightsInWords, seenInWords, untilInWords } from './sl-words.js';

/**
 * @typedef {object} Shown
 * @property {import('./trust.js').Me | null} me
 * @property {import('./trust.js').AccessView} access
 * @property {string} publisher the PeerID of the one on the screen
 * @property {import('./publisher.js').Camera[]} cameras of it
 *
 * @typedef {object} Removal something that can be taken away from a row
 * @property {string} key of the row
 * @property {string} name whose it is
 * @property {string} word on the button
 * @property {string} question
 * @property {string} done said afterwards
 * @property {boolean} told whether the devices of the home are told
 * @property {() => Promise<void>} run
 */

/**
 * Owners, guests and invites, with a way to take each of them away. Event
 * "sl-share", bubbling, with { owner: boolean } as its detail.
 */
export class SlPeople extends HTMLElement {
  #trust;
  /** @type {Shown | null} */ #shown = null;
  #drawn = '';
  /** The row that asks whether to go on. */ #asking = '';
  #working = false;
  #failure = '';
  /** @type {{ text: string, told: boolean } | null} what was just taken away */ #done = null;

  /** @param {import('./trust.js').Trust} trust */
  constructor(trust) {
    super();
    this.#trust = trust;
  }

  connectedCallback() {
    this.#draw();
  }

  /** @param {Shown} shown */
  update(shown) {
    this.#shown = shown;
    this.#draw();
  }

  /** Forgets what was said about the last removal. */
  settle() {
    this.#asking = '';
    this.#failure = '';
    this.#done = null;
    this.#draw();
  }

  #draw() {
    if (!this.#shown) return;
    const { me, access } = this.#shown;
    const minute = Math.floor(Date.now() / 60_000);
    const key = JSON.stringify([me, access, this.#asking, this.#working, this.#failure, this.#done, minute]);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const now = Date.now() / 1000;
    const inForce = access.guests.filter((guest) => !guest.revoked && (guest.expires === 0 || guest.expires > now));
    const past = access.guests.filter((guest) => !inForce.includes(guest));
    redraw(
      this,
      this.#done ? this.#outcome(this.#done) : null,
      section('Owners', access.owners.map((owner) => this.#owner(owner)), 'This agent has no owner yet.'),
      me?.role === 'owner' && access.owners.length === 1 ? this.#alone() : null,
      section('Guests', inForce.map((guest) => this.#guest(guest, false)), 'Nobody else has access.'),
      access.invites.length > 0 ? section('Invites that nobody has used yet', access.invites.map((invite) => this.#invite(invite)), '') : null,
      past.length > 0
        ? h('details', {}, h('summary', {}, `Ended or revoked (${past.length})`), h('ul', { class: 'rows' }, ...past.map((guest) => this.#guest(guest, true))))
        : null,
      access.revokedHere.length > 0 ? h('p', { class: 'quiet', 'data-testid': 'access-revoked-here' }, revokedHere(access.revokedHere.length)) : null,
    );
  }

  /** @param {import('./trust.js').Owner} owner */
  #owner({ id, name, device, you, pending }) {
    const who = name || shortPeerId(id);
    const others = (this.#shown?.access.owners.length ?? 0) > 1;
    return this.#row({
      key: `owner-${id}`,
      testid: 'access-owner',
      symbol: 'key',
      title: who,
      chips: [you ? 'This browser' : '', pending ? 'New' : ''],
      lines: [[device, shortPeerId(id)], pending ? ['Known to this device only. The next change by an owner tells the others.'] : []],
      data: { peer: id },
      removal: you || !others ? null : {
        key: `owner-${id}`,
        name: who,
        word: 'Remove',
        question: `Remove ${who}${device ? ` (${device})` : ''} as an owner? It loses all access at once.`,
        done: `${who} is no owner any more.`,
        told: true,
        run: () => this.#trust.revoke(id),
      },
    });
  }

  /** @param {import('./trust.js').Guest} guest @param {boolean} past */
  #guest({ jti, peer, name, device, rights, cameras, expires, revoked, lastSeen }, past) {
    const { access, publisher, cameras: list } = /** @type {Shown} */ (this.#shown);
    const who = name || shortPeerId(peer);
    const where = camerasInWords(cameras, { publisher, cameras: list, publishers: access.publishers });
    return this.#row({
      key: `guest-${jti}`,
      testid: 'access-person',
      symbol: 'person',
      title: who,
      chips: [revoked ? 'Revoked' : ''],
      lines: [[rightsInWords(rights), where, revoked ? '' : untilInWords(expires)], [device, seenInWords(lastSeen)]],
      data: { peer, jti, revoked: String(revoked) },
      removal: past ? null : {
        key: `guest-${jti}`,
        name: who,
        word: 'Revoke',
        question: `Revoke ${who}’s access? It ends at once, and with it that of everybody whom ${who} has invited.`,
        done: `${who}’s access is revoked.`,
        told: true,
        run: () => this.#trust.revoke(jti),
      },
    });
  }

  /** @param {import('./trust.js').OpenInvite} invite */
  #invite({ jti, name, rights, owner, expires }) {
    const who = name || 'Somebody';
    return this.#row({
      key: `invite-${jti}`,
      testid: 'access-invite',
      symbol: 'mail',
      title: who,
      chips: [owner ? 'Owner' : ''],
      lines: [[owner ? 'A device that becomes an owner' : rightsInWords(rights), `link works ${untilInWords(expires)}`]],
      data: { jti },
      removal: {
        key: `invite-${jti}`,
        name: who,
        word: 'Take back',
        question: `Take back the invite of ${who}? Its link stops working.`,
        done: `The invite of ${who} is taken back.`,
        told: false,
        run: async () => {
          await this.#trust.removeInvite(jti);
          await this.#trust.listAccess();
        },
      },
    });
  }

  /**
   * @param {object} row
   * @param {string} row.key
   * @param {string} row.testid
   * @param {string} row.symbol
   * @param {string} row.title
   * @param {string[]} row.chips
   * @param {string[][]} row.lines
   * @param {Record<string, string>} row.data
   * @param {Removal | null} row.removal null where nothing can be taken away
   */
  #row({ key, testid, symbol, title, chips, lines, data, removal }) {
    const mine = this.#shown?.me?.role === 'owner';
    const asking = this.#asking === key && removal !== null;
    const attributes = Object.fromEntries(Object.entries(data).map(([name, value]) => [`data-${name}`, value]));
    const text = lines.map((parts) => parts.filter(Boolean).join(' · ')).filter(Boolean);
    return h(
      'li',
      { class: 'row', 'data-testid': testid, ...attributes },
      h('span', { class: 'row-symbol' }, icon(symbol)),
      h(
        'div',
        { class: 'row-text' },
        h('span', { class: 'row-title' }, h('strong', {}, title), ...chips.filter(Boolean).map((chip) => h('span', { class: 'chip' }, chip))),
        ...text.map((line) => h('span', {}, line)),
      ),
      removal && mine && !asking
        ? h('button', { type: 'button', class: 'button small', 'data-key': key, 'data-testid': testid === 'access-invite' ? 'access-uninvite' : 'access-revoke',
            'aria-label': `${removal.word}: ${title}`, onclick: () => this.#ask(key) }, removal.word)
        : null,
      removal && asking ? this.#confirm(removal) : null,
    );
  }

  /** @param {Removal} removal */
  #confirm(removal) {
    const { key, question, word } = removal;
    return h(
      'div',
      { class: 'confirm', role: 'group', 'aria-label': question },
      h('p', {}, question),
      this.#failure ? h('p', { class: 'form-error', role: 'alert', 'data-testid': 'access-error' }, this.#failure) : null,
      h(
        'div',
        { class: 'card-actions' },
        h('button', { type: 'button', class: 'button danger', 'data-key': `${key}-yes`, 'data-testid': 'access-revoke-confirm', 'aria-disabled': String(this.#working),
          onclick: () => void this.#remove(removal) }, this.#working ? 'One moment…' : word),
        h('button', { type: 'button', class: 'button', 'data-key': `${key}-no`, 'data-testid': 'access-keep', onclick: () => this.#ask('') }, 'Keep'),
      ),
    );
  }

  /** @param {string} key of the row to ask about, or empty for none */
  #ask(key) {
    if (this.#working) return;
    const before = this.#asking;
    this.#asking = key;
    this.#failure = '';
    this.#draw();
    this.#focus(key === '' ? before : `${key}-no`);
  }

  /** @param {Removal} removal */
  async #remove({ key, done, told, run }) {
    if (this.#working) return;
    this.#working = true;
    this.#failure = '';
    this.#draw();
    try {
      await run();
      this.#asking = '';
      this.#done = { text: done, told };
    } catch (error) {
      this.#failure = failureInWords(error);
    }
    this.#working = false;
    this.#draw();
    this.#focus(this.#failure ? `${key}-yes` : 'done');
  }

  /** @param {string} key */
  #focus(key) {
    const elements = /** @type {HTMLElement[]} */ ([...this.querySelectorAll('[data-key]')]);
    elements.find((each) => each.dataset.key === key)?.focus();
  }

  /** What was taken away, and which devices know it so far. @param {{ text: string, told: boolean }} done */
  #outcome({ text, told }) {
    const publishers = told ? (this.#shown?.access.publishers ?? []) : [];
    const missing = publishers.filter(({ state }) => state !== 'has it').length;
    const reach = missing === 0 ? 'Every device knows.' : `${publishers.length - missing} of ${publishers.length} devices know. The others are told as soon as they are reached.`;
    return h(
      'div',
      { class: 'note', 'data-tone': 'good', 'data-testid': 'access-done' },
      icon('done'),
      h(
        'div',
        { class: 'note-text' },
        h('div', { role: 'status', tabindex: -1, 'data-key': 'done' }, h('strong', {}, text), publishers.length > 0 ? h('p', {}, reach) : null),
        publishers.length > 0
          ? h('ul', { class: 'rows', 'data-testid': 'access-reach' }, ...publishers.map((each) => deviceRow(each, 'access-reach-device')))
          : null,
      ),
    );
  }

  /** Only one browser can manage everything: says so before it is lost. */
  #alone() {
    const share = () => this.dispatchEvent(new CustomEvent('sl-share', { bubbles: true, detail: { owner: true } }));
    return h(
      'div',
      { class: 'note', 'data-tone': 'plain', 'data-testid': 'access-alone' },
      icon('device'),
      h(
        'div',
        { class: 'note-text' },
        h('p', {}, 'Only this browser can share and revoke. If it is lost, somebody has to go to the device.'),
        h('button', { type: 'button', class: 'button small', 'data-testid': 'access-add-owner', onclick: share }, 'Add one more of my devices'),
      ),
    );
  }
}

/** @param {string} title @param {Node[]} rows @param {string} none said if there are none */
function section(title, rows, none) {
  return h('section', {}, h('h3', {}, title), rows.length > 0 ? h('ul', { class: 'rows' }, ...rows) : h('p', { class: 'quiet' }, none));
}

/** @param {number} count */
function revokedHere(count) {
  const what = count === 1 ? 'One person or grant was' : `${count} people or grants were`;
  return `${what} revoked on the device itself. That holds at this device only; revoke it here as well for the others.`;
}

customElements.define('sl-people', SlPeople);
