import { readAddress, writeAddress } from './address.js';
import { AddressBook } from './addressbook.js';
import { h, setText } from './dom.js';
import { icon, setIcon } from './icons.js';
import { IdentityError, openIdentity } from './identity.js';
import { shortPeerId } from './peerid.js';
import { Publisher } from './publisher.js';
import { Library } from './library.js';
import { listRecent, remember } from './recent.js';
import { Session } from './session.js';
import { keepPage } from './shell.js';
import { Signaling } from './signaling.js';
import { SlAbout } from './sl-about.js';
import { SlAccess } from './sl-access.js';
import { SlClaim } from './sl-claim.js';
import { SlGrid } from './sl-grid.js';
import { SlPlayer } from './sl-player.js';
import { SlRail } from './sl-rail.js';
import { SlShare } from './sl-share.js';
import { SlWelcome } from './sl-welcome.js';
import { enumerate } from './sl-words.js';
import { currentTheme, toggleTheme } from './theme.js';
import { Trust } from './trust.js';

/** The page: one agent's cameras, or the choice of an agent. */
export class SlApp extends HTMLElement {
  /** @type {import('./identity.js').Identity | null} */ #identity = null;
  /** @type {Signaling | null} */ #signaling = null;
  /** @type {Trust | null} */ #trust = null;
  /** @type {Publisher | null} */ #publisher = null;
  /** @type {Library | null} what the publisher has recorded */ #library = null;
  /** @type {SlClaim | null} what a link that gives access has led to, as long as it is on the screen */ #claim = null;
  /** @type {SlShare | null} */ #share = null;
  /** @type {SlAccess | null} */ #access = null;
  #book = new AddressBook();
  #remembered = '';
  /** @type {string | null} the camera whose player takes the keyboard's focus */ #focusOn = null;
  #place = takeAddress();

  #about = new SlAbout();
  #rail = new SlRail();
  #grid = new SlGrid();
  #main = h('main', { id: 'main', tabindex: -1 });
  #heading = h('h1', { class: 'hidden' });
  #announcer = h('p', { class: 'hidden', role: 'status', 'aria-live': 'polite', 'data-testid': 'announcer' });
  #pill = h('span', { class: 'pill', hidden: true, 'data-testid': 'path' }, h('span', { class: 'dot' }), h('span', {}));
  #agent = h('span', { class: 'agent-name' });
  #all = h('a', { class: 'control', title: 'All cameras (g)', 'aria-label': 'All cameras', hidden: true }, icon('grid'));
  #shareButton = h(
    'button',
    { type: 'button', class: 'control', title: 'Share', 'aria-label': 'Share', hidden: true, 'data-testid': 'share-open',
      onclick: () => this.#openShare(false) },
    icon('share'),
  );
  #accessButton = h(
    'button',
    { type: 'button', class: 'control', title: 'Access', 'aria-label': 'Access', hidden: true, 'data-testid': 'access-open',
      onclick: () => this.#openAccess() },
    icon('people'),
  );
  #theme = h(
    'button',
    { type: 'button', class: 'control', title: 'Dark or light', 'aria-label': 'Dark or light', onclick: () => this.#toggleTheme() },
    icon('sun'),
  );
  #self = h(
    'button',
    { type: 'button', class: 'control', title: 'This browser', 'aria-label': 'This browser', disabled: true,
      'data-testid': 'about-open', onclick: () => this.#identity && this.#about.open(this.#identity, this.#publisher?.state.value.me ?? null) },
    icon('key'),
  );

  connectedCallback() {
    this.replaceChildren(
      h('a', { class: 'skip', href: '#main', onclick: (/** @type {Event} */ event) => this.#skip(event) }, 'Skip to the cameras'),
      h(
        'header',
        { class: 'bar' },
        h(
          'a',
          { class: 'brand', href: '#', 'aria-label': 'Sightline, all agents' },
          h('img', { src: '/logo.svg', alt: '', width: 28, height: 28 }),
          h('span', {}, 'Sightline'),
        ),
        this.#agent,
        this.#pill,
        h('span', { class: 'spacer' }),
        this.#all,
        this.#shareButton,
        this.#accessButton,
        this.#theme,
        this.#self,
      ),
      this.#main,
      this.#about,
      this.#announcer,
    );
    this.#toggleIcon();
    this.addEventListener('sl-open', (event) => this.#openCamera(/** @type {SlPlayer} */ (event.target).cameraId));
    this.addEventListener('sl-retry', () => this.#publisher?.retry());
    this.addEventListener('sl-claim', (event) => void this.#publisher?.claim(/** @type {CustomEvent} */ (event).detail));
    this.addEventListener('sl-claim-skip', () => this.#skipClaim());
    this.addEventListener('sl-share', (event) => this.#openShare(/** @type {CustomEvent} */ (event).detail.owner));
    document.addEventListener('keydown', (event) => this.#key(event));
    window.addEventListener('hashchange', () => this.#go());
    window.addEventListener('online', () => this.#publisher?.retry());
    window.addEventListener('pagehide', () => {
      this.#leave();
      this.#trust?.close();
    });
    // A page that comes out of the browser's cache has no connection any more.
    window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
    void this.#start();
  }

  async #start() {
    try {
      this.#identity = await openIdentity();
    } catch (error) {
      if (!(error instanceof IdentityError)) console.error('sightline: no identity', error);
      const text = error instanceof IdentityError ? error.message : 'This browser could not make a key. Reload the page.';
      this.#main.replaceChildren(notice('lock', 'This page is not secure', text));
      return;
    }
    this.#self.disabled = false;
    this.#grid.ownPeer = this.#identity.peerId;
    const url = new URL('/v1/signal', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.hash = '';
    this.#signaling = new Signaling({ url: url.href, identity: this.#identity });
    const connect = (/** @type {import('./session.js').SessionOptions} */ options) => Session.connect({ ...options, book: this.#book });
    this.#trust = new Trust({ identity: this.#identity, signaling: this.#signaling, connect });
    this.#share = new SlShare(this.#trust);
    this.#access = new SlAccess(this.#trust);
    this.append(this.#share, this.#access);
    this.#go(this.#place);
    this.#trust.state.watch(() => this.#offer());
    keepPage();
  }

  /** Shows what the address says. */
  #go(place = takeAddress()) {
    const before = this.#place;
    this.#place = place;
    if (!this.#identity || !this.#signaling || !this.#trust) return;
    const inside = this.#grid.contains(document.activeElement) || document.activeElement === document.body;
    if (inside && before.camera !== this.#place.camera) this.#focusOn = this.#place.camera || before.camera;
    const { peer, camera, malformed, claim, brokenClaim } = place;
    if (this.#publisher && (this.#publisher.peer !== peer || claim || brokenClaim)) this.#leave();
    if (!this.#publisher) this.#claim = null;
    if (peer === null) {
      const welcome = new SlWelcome();
      welcome.malformed = malformed;
      this.#main.className = 'choosing';
      this.#main.replaceChildren(welcome);
      this.#bar();
      return;
    }
    if (brokenClaim) {
      this.#showClaim(peer, 'invite').broken();
      this.#bar();
      return;
    }
    if (!this.#publisher) {
      const options = { peer, identity: this.#identity, signaling: this.#signaling, trust: this.#trust, book: this.#book, cameras: [camera], claim };
      // The secret is the publisher's business now.
      this.#place = { ...place, claim: null };
      this.#publisher = new Publisher(options);
      this.#library = new Library(this.#publisher);
      this.#library.start();
      this.#grid = new SlGrid();
      this.#grid.ownPeer = this.#identity.peerId;
      this.#grid.library = this.#library;
      this.#grid.known = listRecent().some((entry) => entry.peer === peer);
      this.#main.replaceChildren(this.#heading, this.#grid, this.#rail);
      void this.#publisher.run();
      this.#publisher.state.watch(() => this.#update());
      this.#library.state.watch(() => this.#update());
    }
    this.#update();
  }

  #leave() {
    this.#publisher?.stop();
    this.#publisher = null;
    this.#library?.stop();
    this.#library = null;
    this.#claim = null;
    this.#share?.close();
    this.#access?.close();
  }

  /**
   * Puts a link that gives access on the screen, instead of the cameras.
   *
   * @param {string} peer
   * @param {'pair' | 'invite'} kind
   */
  #showClaim(peer, kind) {
    const names = listRecent().find((entry) => entry.peer === peer)?.cameras ?? [];
    const card = new SlClaim(peer, kind, names.length > 0 ? enumerate(names.slice(0, 3)) : '');
    this.#claim = card;
    this.#main.className = 'choosing';
    this.#main.replaceChildren(card);
    if (kind === 'pair') void this.#askHome(card);
    return card;
  }

  /** @param {SlClaim} card */
  async #askHome(card) {
    try {
      card.askHome((await this.#trust?.othersAtHome()) ?? []);
    } catch (error) {
      console.warn('sightline: the homes of this browser cannot be read', error);
    }
  }

  /**
   * Brings the link on the screen to the publisher's state.
   *
   * @param {Publisher} publisher
   * @returns {boolean} whether it still has the screen
   */
  #updateClaim(publisher) {
    const { claim } = publisher.state.value;
    if (claim && claim.phase !== 'done') {
      const shown = this.#claim;
      const card = shown ?? this.#showClaim(publisher.peer, claim.kind);
      card.update(claim);
      if (!shown) card.takeFocus();
      this.#bar();
      return true;
    }
    if (this.#claim) {
      this.#claim = null;
      this.#main.replaceChildren(this.#heading, this.#grid, this.#rail);
      this.#main.focus();
      if (claim) setText(this.#announcer, claim.role === 'owner' ? 'This browser is an owner now.' : 'This browser has access now.');
    }
    return false;
  }

  #skipClaim() {
    if (this.#publisher) return this.#publisher.skipClaim();
    this.#claim = null;
    this.#go({ ...this.#place, brokenClaim: false });
  }

  /**
   * Offers what this browser may do with the publisher on the screen; for most
   * that is to watch.
   */
  #offer() {
    const state = this.#publisher?.state.value;
    // An agent that refuses this browser now has nothing to offer it.
    const me = state && state.problem?.code !== 'forbidden' ? state.me : null;
    const { access, logWarning } = this.#trust?.state.value ?? { access: null, logWarning: '' };
    const owner = me?.role === 'owner';
    this.#shareButton.hidden = !me || me.role === 'open' || !(owner || me.pass);
    this.#accessButton.hidden = !me || me.role === 'open' || !(owner || me.admin);
    this.toggleAttribute('data-manages', !this.#shareButton.hidden || !this.#accessButton.hidden);
    if (this.#shareButton.hidden) this.#share?.close();
    if (this.#accessButton.hidden) this.#access?.close();
    const urgent = logWarning !== '' || Boolean(access?.conflict);
    this.#accessButton.toggleAttribute('data-urgent', urgent);
    const label = urgent ? 'Access: something needs a look' : 'Access';
    if (this.#accessButton.title === label) return;
    this.#accessButton.title = label;
    this.#accessButton.setAttribute('aria-label', label);
    if (urgent && !this.#accessButton.hidden) setText(this.#announcer, logWarning || 'Two owners disagree about who has access.');
  }

  /** @param {boolean} owner whether it is for one more of the person's own devices */
  #openShare(owner) {
    const { me, cameras } = this.#publisher?.state.value ?? {};
    if (!me || !cameras) return;
    this.#access?.close();
    this.#share?.open({ me, cameras }, { owner });
  }

  #openAccess() {
    const publisher = this.#publisher;
    if (publisher) this.#access?.open({ publisher: publisher.peer, cameras: publisher.state.value.cameras ?? [] });
  }

  /** Brings everything on the page to the publisher's state. */
  #update() {
    const publisher = this.#publisher;
    if (!publisher || this.#updateClaim(publisher)) return;
    const { cameras } = publisher.state.value;
    const chosen = this.#place.camera;
    const all = cameras?.map(({ id }) => id) ?? [''];
    const empty = cameras?.length === 0;
    const shown = empty ? [] : chosen === '' ? all : [chosen];
    if (cameras) publisher.want(shown);
    const single = chosen !== '' || shown.length <= 1;
    this.#main.className = single ? 'single' : 'several';
    this.#rail.hidden = chosen === '' || (cameras?.length ?? 0) < 2;
    if (!this.#rail.hidden) this.#rail.update(publisher.peer, cameras ?? [], chosen);
    const before = new Map(this.#grid.players.map((player) => [player, player.dataset.state]));
    this.#grid.update(publisher.state.value, shown, chosen);
    if (empty && !this.#main.querySelector('.notice')) {
      this.#main.append(notice('camera', 'No cameras yet', 'This agent is connected, but it has no camera set up.'));
    } else if (!empty) this.#main.querySelector('.notice')?.remove();
    this.#announce(before);
    this.#bar();
    this.#remember(publisher.peer, cameras);
    this.#moveFocus();
  }

  /** Keeps the keyboard's place when the element that had it is gone. */
  #moveFocus() {
    const from = this.#focusOn;
    if (from === null || !this.#publisher?.state.value.cameras) return;
    this.#focusOn = null;
    const player = this.#grid.players.find(({ cameraId }) => cameraId === from);
    if (player) player.takeFocus();
    else this.#main.focus();
  }

  #bar() {
    const publisher = this.#publisher;
    const state = publisher?.state.value;
    this.#offer();
    const several = (state?.cameras?.length ?? 0) > 1;
    const camera = state?.cameras?.find(({ id }) => id === this.#place.camera);
    setText(this.#agent, publisher ? shortPeerId(publisher.peer) : '');
    this.#agent.title = publisher ? 'The agent' : '';
    setText(this.#heading, camera?.name || 'Cameras');
    this.#all.hidden = !publisher || !several || this.#place.camera === '';
    this.#all.href = writeAddress(publisher?.peer ?? null);
    document.title = [camera?.name, 'Sightline'].filter(Boolean).join(' · ');
    this.#pill.hidden = !state || this.#claim !== null;
    if (!state) return;
    const path = state.connection?.path ?? 'unknown';
    const words = { direct: 'Direct', relayed: 'Relayed', unknown: 'Connected' }[path];
    const connected = state.phase === 'connected';
    const trying = state.problem ? 'Not connected' : 'Connecting';
    const text = !connected ? trying : state.shaky ? 'Reconnecting' : words;
    this.#pill.dataset.path = connected && !state.shaky ? path : 'none';
    this.#pill.title =
      state.story || (path === 'relayed' ? 'Through a relay, which cannot see the video' : 'From the agent straight to this browser');
    setText(/** @type {Element} */ (this.#pill.lastElementChild), text);
  }

  /**
   * Tells screen readers what has changed; states that pass by are left out.
   *
   * @param {Map<SlPlayer, string | undefined>} before
   */
  #announce(before) {
    const changed = this.#grid.players.filter((player) => {
      const { state } = player.dataset;
      return state !== before.get(player) && state !== 'connecting';
    });
    if (changed.length > 0) setText(this.#announcer, changed.map(({ statusText }) => statusText).join('. '));
  }

  /** @param {string} peer @param {import('./publisher.js').Camera[] | null} cameras */
  #remember(peer, cameras) {
    if (!cameras) return;
    const names = cameras.map(({ id, name }) => name || id);
    const key = JSON.stringify([peer, names]);
    if (key === this.#remembered) return;
    this.#remembered = key;
    remember(peer, names);
  }

  /** @param {string} camera */
  #openCamera(camera) {
    if (this.#publisher) location.hash = writeAddress(this.#publisher.peer, camera);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#publisher) return;
    // What has the focus, or lies above the page, comes first; a button is pressed by the space bar.
    if (event.defaultPrevented || target.closest('input, select, dialog, [popover]') || document.querySelector(':popover-open')) return;
    if (event.key === ' ' && target.closest('button, a')) return;
    const { cameras } = this.#publisher.state.value;
    const single = this.#place.camera !== '' || (cameras?.length ?? 0) <= 1;
    let done = false;
    if ((event.key === 'g' || event.key === 'Escape') && !this.#all.hidden && !document.fullscreenElement) {
      location.hash = writeAddress(this.#publisher.peer);
      done = true;
    } else if (single && cameras && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      done = this.#step(cameras, event.key === 'ArrowRight' ? 1 : -1);
    } else {
      const player = single ? this.#grid.chosen : /** @type {SlPlayer | null} */ (target.closest('sl-player'));
      const arrows = event.key.startsWith('Arrow');
      done = player !== null && (single || !arrows) && player.pressKey(event.key);
    }
    if (done) event.preventDefault();
  }

  /** @param {import('./publisher.js').Camera[]} cameras @param {number} by */
  #step(cameras, by) {
    const at = cameras.findIndex(({ id }) => id === this.#place.camera);
    const next = cameras[(at + by + cameras.length) % cameras.length];
    if (!next || at < 0 || cameras.length < 2) return false;
    this.#openCamera(next.id);
    return true;
  }

  /** @param {Event} event the address must keep its fragment */
  #skip(event) {
    event.preventDefault();
    this.#main.focus();
  }

  #toggleTheme() {
    toggleTheme();
    this.#toggleIcon();
  }

  #toggleIcon() {
    setIcon(this.#theme, currentTheme() === 'dark' ? 'sun' : 'moon');
  }
}

/**
 * Reads the address and takes a secret that gives access out of it at once, so
 * that it is neither seen nor kept in the history.
 *
 * @returns {import('./address.js').Place}
 */
function takeAddress() {
  const place = readAddress(location.hash);
  if (place.claim || place.brokenClaim) history.replaceState(null, '', writeAddress(place.peer, place.camera));
  return place;
}

/**
 * @param {string} symbol
 * @param {string} title
 * @param {string} text
 */
function notice(symbol, title, text) {
  return h(
    'div',
    { class: 'notice', role: 'alert' },
    h('span', { class: 'message-symbol' }, icon(symbol)),
    h('h1', {}, title),
    h('p', {}, text),
  );
}

customElements.define('sl-app', SlApp);
