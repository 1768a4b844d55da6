import { canPlay } from './codecs.js';
import { h, setText } from './dom.js';
import { icon, setIcon } from './icons.js';
import { LatencyMeter } from './latency.js';
import { SlPast } from './sl-past.js';
import { SlPeerId } from './sl-peer-id.js';
import { SlStats } from './sl-stats.js';
import { describe } from './status.js';

/** A picture counts as stopped after this long without a frame, in milliseconds. */
const stoppedMs = 3000;

/** Controls fade after this long without a pointer, in milliseconds. */
const idleMs = 2500;

/** The icon of each state that covers the picture. @type {Record<string, string>} */
const stateIcons = {
  stalled: 'unplug',
  offline: 'offline',
  unsupported: 'film',
  forbidden: 'lock',
  unreachable: 'unplug',
  'no-signaling': 'unplug',
  'no-route': 'route',
  'no-camera': 'camera',
  error: 'warning',
};

/** The state in a word. @type {Record<import('./status.js').PlayerState, string>} */
const badges = {
  live: 'Live',
  connecting: 'Connecting',
  stalled: 'Interrupted',
  offline: 'Offline',
  unsupported: 'No picture',
  forbidden: 'Not allowed',
  unreachable: 'Not reachable',
  'no-signaling': 'No connection',
  'no-route': 'No connection',
  'no-camera': 'Not found',
  error: 'No picture',
};

/**
 * One camera: its picture, its state in words, its controls; and its past, if
 * it is shown alone and its publisher keeps recordings.
 *
 * Attributes data-state: see status.js; data-mode: "live", or "past" while a
 * picture of the past covers the live one. Property "stats": see player-stats.js.
 * Events, both bubbling: "sl-open" when a tile is chosen, "sl-retry".
 */
export class SlPlayer extends HTMLElement {
  #video = h('video', { autoplay: true, playsinline: true, disableremoteplayback: true, 'data-testid': 'video' });
  #meter = new LatencyMeter(this.#video);
  #name = h('span', { class: 'player-name' });
  #badge = h('span', { class: 'badge' });
  #symbol = h('span', { class: 'message-symbol' }, icon('camera'));
  #title = h('p', { class: 'message-title', 'data-testid': 'title' });
  #detail = h('p', { class: 'message-detail', 'data-testid': 'detail' });
  #ownId = new SlPeerId();
  #retry = h('button', { type: 'button', class: 'button', onclick: () => this.#emit('sl-retry') }, icon('retry'), 'Try now');
  #warning = h('p', { class: 'player-warning', hidden: true }, icon('warning'), h('span', {}));
  #panel = new SlStats();
  #open = h('button', { type: 'button', class: 'player-open', onclick: () => this.#emit('sl-open') });
  #mute = this.#control('muted', 'Unmute (m)', () => this.toggleMute());
  #volume = h('input', { type: 'range', min: 0, max: 100, value: 100, class: 'volume', 'aria-label': 'Volume',
    oninput: () => this.setVolume(Number(this.#volume.value) / 100) });
  #statsButton = this.#control('stats', 'Statistics (s)', () => this.toggleStats());
  #picture = h('div', { class: 'player-frame' }, this.#video);
  #stage = h('div', { class: 'player-stage' });
  #spacer = h('span', { class: 'spacer' });
  #bar = h('div', { class: 'player-controls', role: 'toolbar', 'aria-label': 'Player' });
  #dock = h('div', { class: 'player-dock' }, this.#bar);
  #pipButton = this.#control('window', 'Picture in picture (p)', () => void this.togglePictureInPicture());
  #fullButton = this.#control('expand', 'Full screen (f)', () => void this.toggleFullscreen());

  /** @type {import('./publisher.js').PublisherState | null} */ #publisher = null;
  /** Whether this browser has seen the publisher's cameras before. */
  known = false;
  #cameraId = '';
  /** @type {import('./library.js').Library | null} */ #library = null;
  /** @type {SlPast | null} while there is one to be shown */ #past = null;
  /** What #past is of. */
  #pastOf = '';
  #frames = 0;
  #frameCallback = 0;
  #frameAt = -Infinity;
  #askedAt = performance.now();
  /** @type {number | null} */ #firstFrameMs = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #idleTimer;
  #built = false;

  connectedCallback() {
    if (!this.#built) this.#build();
    this.#followFrames();
  }

  disconnectedCallback() {
    this.#video.cancelVideoFrameCallback?.(this.#frameCallback);
    this.#video.srcObject = null;
    clearTimeout(this.#idleTimer);
  }

  /** Statistics of this player. @returns {import('./player-stats.js').PlayerStats} */
  get stats() {
    const camera = this.#publisher?.stats.get(this.#cameraId);
    return {
      connection: this.#publisher?.connection ?? null,
      story: this.#publisher?.story ?? '',
      video: camera?.video ?? null,
      audio: camera?.audio ?? null,
      framesPresented: this.#frames,
      latencyMs: this.#meter.samples,
      latencyMedianMs: this.#meter.medianMs,
      firstFrameMs: this.#firstFrameMs,
    };
  }

  get cameraId() {
    return this.#cameraId;
  }

  /** The camera's state in words. */
  get statusText() {
    return [this.#name.textContent, this.#title.textContent].filter(Boolean).join(': ');
  }

  /** @param {string} peer this browser's own PeerID, shown where the owner has to allow it */
  set ownPeer(peer) {
    this.#ownId.peer = peer;
  }

  /** @param {import('./library.js').Library | null} library of the publisher, for a player that is shown alone */
  set library(library) {
    this.#library = library;
    this.#arrangePast();
  }

  /**
   * Shows a camera of a publisher as it is now.
   *
   * @param {import('./publisher.js').PublisherState} publisher
   * @param {string} cameraId
   */
  update(publisher, cameraId) {
    this.#publisher = publisher;
    this.#cameraId = cameraId;
    this.#show(publisher.streams.get(cameraId) ?? null);
    const camera = publisher.cameras?.find(({ id }) => id === cameraId);
    const picture = { seen: this.#firstFrameMs !== null, moving: this.#moving };
    const status = describe(publisher, cameraId, picture, { canPlay, known: this.known });
    const name = camera?.name || cameraId;
    this.dataset.state = status.state;
    this.dataset.camera = cameraId;
    this.setAttribute('aria-label', name || 'Camera');
    setText(this.#name, name);
    setText(this.#title, status.title);
    setText(this.#detail, status.state === 'live' ? '' : status.detail);
    setIcon(this.#symbol, stateIcons[status.state] ?? 'camera');
    this.#ownId.hidden = status.state !== 'forbidden';
    this.#retry.hidden = !status.retry;
    this.#warning.hidden = !camera?.warning;
    setText(/** @type {Element} */ (this.#warning.lastElementChild), camera?.warning ?? '');
    this.#open.setAttribute('aria-label', `Open ${name || 'camera'}, ${status.title}`);
    this.#arrangePast();
    if (this.#past) {
      this.#past.liveIsGood = status.state === 'live';
      this.#past.me = publisher.me;
    }
    this.#showMode();
    if (!this.#panel.hidden) this.#panel.show(this.stats);
  }

  /** Takes the keyboard's focus: a tile by its button, else as a whole. */
  takeFocus() {
    if (this.classList.contains('tile')) this.#open.focus();
    else this.focus();
  }

  toggleMute() {
    const video = this.#heard;
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 1;
    this.#soundChanged();
  }

  /** Turns the sound off, for a player that is no longer the chosen one. */
  mute() {
    this.#heard.muted = true;
    this.#soundChanged();
  }

  /** @param {number} volume from 0 to 1 */
  setVolume(volume) {
    const video = this.#heard;
    video.volume = Math.min(1, Math.max(0, volume));
    video.muted = video.volume === 0;
    this.#soundChanged();
  }

  toggleStats() {
    this.#panel.hidden = !this.#panel.hidden;
    this.#statsButton.setAttribute('aria-pressed', String(!this.#panel.hidden));
    if (!this.#panel.hidden) this.#panel.show(this.stats);
  }

  async toggleFullscreen() {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else if (this.requestFullscreen) await this.requestFullscreen();
      // Phones that only know it for videos.
      else /** @type {any} */ (this.#heard).webkitEnterFullscreen?.();
    } catch (error) {
      console.debug('sightline: full screen is refused', error);
    }
  }

  async togglePictureInPicture() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.#heard.requestPictureInPicture();
    } catch (error) {
      console.debug('sightline: picture in picture is refused', error);
    }
  }

  /**
   * Handles a key of a player that is shown alone.
   *
   * @param {string} key
   * @returns {boolean} whether the key means something here
   */
  pressKey(key) {
    const step = 0.1;
    if (this.#past?.pressKey(key)) return true;
    switch (key) {
      case 'm':
        this.toggleMute();
        return true;
      case 'f':
        void this.toggleFullscreen();
        return true;
      case 's':
        this.toggleStats();
        return true;
      case 'p':
        void this.togglePictureInPicture();
        return true;
      case 'ArrowUp':
      case 'ArrowDown':
        this.setVolume((this.#heard.muted ? 0 : this.#heard.volume) + (key === 'ArrowUp' ? step : -step));
        return true;
      default:
        return false;
    }
  }

  #build() {
    this.#built = true;
    this.setAttribute('role', 'group');
    this.tabIndex = -1;
    this.dataset.testid = 'player';
    this.#video.muted = true;
    this.#panel.hidden = true;
    this.#pipButton.hidden = !document.pictureInPictureEnabled;
    this.#statsButton.setAttribute('aria-pressed', 'false');
    this.#bar.append(this.#mute, this.#volume, this.#spacer, this.#statsButton, this.#pipButton, this.#fullButton);
    this.#stage.append(
      this.#picture,
      h('div', { class: 'player-message' }, this.#symbol, this.#title, this.#detail, this.#ownId, this.#retry),
      h('div', { class: 'player-top' }, this.#name, this.#badge),
      this.#warning,
      this.#panel,
      this.#open,
    );
    this.append(this.#stage, this.#dock);
    this.#soundChanged();
    this.addEventListener('pointermove', () => this.#wake());
    this.addEventListener('pointerdown', () => this.#wake());
    this.addEventListener('focusin', () => this.#wake());
    this.addEventListener('fullscreenchange', () => {
      const full = document.fullscreenElement === this;
      setIcon(this.#fullButton, full ? 'shrink' : 'expand');
      this.#label(this.#fullButton, full ? 'Leave full screen (f)' : 'Full screen (f)');
    });
    this.addEventListener('dblclick', (event) => {
      if (this.#picture.contains(/** @type {Node} */ (event.target))) void this.toggleFullscreen();
    });
  }

  /** The picture whose sound is heard, and which is shown. */
  get #heard() {
    return this.#past && this.dataset.mode === 'past' ? this.#past.video : this.#video;
  }

  /** Shows the past as long as there is one: nothing of it where nothing is recorded. */
  #arrangePast() {
    const { phase } = this.#library?.state.value ?? { phase: 'none' };
    const kept = phase === 'refused' || (phase === 'ready' && this.#library?.camera(this.#cameraId));
    const of = kept && this.#library && !this.classList.contains('tile') ? this.#cameraId : '';
    if (of === '') delete this.dataset.docked;
    else this.dataset.docked = phase === 'ready' ? 'whole' : 'note';
    if (of === this.#pastOf) return;
    this.#past?.remove();
    for (const part of this.#past?.parts ?? []) part.remove();
    this.#past = null;
    this.#pastOf = of;
    if (of !== '' && this.#library) {
      const past = (this.#past = new SlPast(this.#library, of));
      past.video.muted = true;
      past.addEventListener('sl-mode', () => this.#showMode());
      this.#picture.append(...past.layers);
      this.#stage.append(...past.words);
      this.#bar.prepend(...past.lead);
      this.#spacer.after(...past.tools);
      this.#dock.prepend(past);
    }
    this.#showMode();
  }

  /** Brings badge and sound to what is shown: the present, or a picture of the past. */
  #showMode() {
    const past = this.#past?.shown ? this.#past : null;
    const mode = past ? 'past' : 'live';
    const state = /** @type {import('./status.js').PlayerState} */ (this.dataset.state ?? 'connecting');
    const taken = this.#past?.badge ?? '';
    setText(this.#badge, taken || badges[state]);
    this.#badge.toggleAttribute('data-past', taken !== '');
    const camera = this.#publisher?.cameras?.find(({ id }) => id === this.#cameraId);
    this.#updateSound(past ? past.sound : camera?.audio !== '');
    if (this.dataset.mode === mode) return;
    this.dataset.mode = mode;
    if (!this.#past) return;
    // What one hears goes on where one looks.
    const [from, to] = past ? [this.#video, this.#past.video] : [this.#past.video, this.#video];
    to.volume = from.volume;
    to.muted = from.muted;
    from.muted = true;
    this.#soundChanged();
  }

  /** @param {MediaStream | null} stream */
  #show(stream) {
    if (this.#video.srcObject === stream) return;
    this.#video.srcObject = stream;
    this.#meter.reset();
    this.#firstFrameMs = null;
    this.#frameAt = -Infinity;
    this.#askedAt = performance.now();
    // Autoplay may be refused while there is sound; without, it never is.
    this.#video.play().catch((error) => {
      if (error.name === 'NotAllowedError') this.mute();
    });
  }

  get #moving() {
    return document.hidden || performance.now() - this.#frameAt < stoppedMs;
  }

  /** Sees every frame that is shown, as long as the player is on the page. */
  #followFrames() {
    const video = this.#video;
    if (!video.requestVideoFrameCallback) {
      video.ontimeupdate = () => this.#frame(performance.now(), video.srcObject);
      return;
    }
    const next = () => {
      const stream = video.srcObject;
      this.#frameCallback = video.requestVideoFrameCallback((_, { presentationTime }) => {
        this.#frame(presentationTime, stream);
        next();
      });
    };
    next();
  }

  /** @param {number} presentationTime @param {unknown} stream that the frame belongs to */
  #frame(presentationTime, stream) {
    this.#frames += 1;
    if (stream === null || stream !== this.#video.srcObject) return;
    this.#frameAt = performance.now();
    const publisher = this.#publisher;
    if (publisher?.cameras?.find(({ id }) => id === this.#cameraId)?.testPattern) {
      this.#meter.frame(presentationTime, publisher.clockOffsetMs);
    }
    if (this.#firstFrameMs === null) {
      this.#firstFrameMs = this.#frameAt - this.#askedAt;
      performance.mark('sightline:picture');
    }
    // Words change at once when the picture comes; while it runs they cannot.
    if (publisher && this.dataset.state !== 'live') this.update(publisher, this.#cameraId);
  }

  /** @param {boolean} available */
  #updateSound(available) {
    this.#mute.disabled = !available;
    this.#volume.disabled = !available;
    if (!available) this.#label(this.#mute, 'This camera has no sound');
    else this.#soundChanged();
  }

  #soundChanged() {
    const { muted, volume } = this.#heard;
    const silent = muted || volume === 0;
    setIcon(this.#mute, silent ? 'muted' : 'sound');
    this.#label(this.#mute, silent ? 'Unmute (m)' : 'Mute (m)');
    this.#volume.value = silent ? '0' : String(Math.round(volume * 100));
    this.#volume.style.setProperty('--value', `${this.#volume.value}%`);
  }

  #wake() {
    this.dataset.awake = '';
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => delete this.dataset.awake, idleMs);
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {() => void} onclick
   */
  #control(name, label, onclick) {
    const button = h('button', { type: 'button', class: 'control', onclick }, icon(name));
    this.#label(button, label);
    return button;
  }

  /** @param {HTMLElement} button @param {string} label */
  #label(button, label) {
    if (button.title === label) return;
    button.title = label;
    button.setAttribute('aria-label', label);
  }

  /** @param {string} type */
  #emit(type) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true }));
  }
}

customElements.define('sl-player', SlPlayer);
