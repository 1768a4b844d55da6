import { canPlay } from './codecs.js';
import { h, setText } from './dom.js';
import { icon, setIcon } from './icons.js';
import { LatencyMeter } from './latency.js';
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
 * One camera: its picture, its state in words, its controls.
 *
 * Attribute data-state: see status.js. Property "stats": see player-stats.js.
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
  #pipButton = this.#control('window', 'Picture in picture (p)', () => void this.togglePictureInPicture());
  #fullButton = this.#control('expand', 'Full screen (f)', () => void this.toggleFullscreen());

  /** @type {import('./publisher.js').PublisherState | null} */ #publisher = null;
  /** Whether this browser has seen the publisher's cameras before. */
  known = false;
  #cameraId = '';
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
    setText(this.#badge, badges[status.state]);
    setText(this.#title, status.title);
    setText(this.#detail, status.state === 'live' ? '' : status.detail);
    setIcon(this.#symbol, stateIcons[status.state] ?? 'camera');
    this.#ownId.hidden = status.state !== 'forbidden';
    this.#retry.hidden = !status.retry;
    this.#warning.hidden = !camera?.warning;
    setText(/** @type {Element} */ (this.#warning.lastElementChild), camera?.warning ?? '');
    this.#open.setAttribute('aria-label', `Open ${name || 'camera'}, ${status.title}`);
    this.#updateSound(camera?.audio !== '');
    if (!this.#panel.hidden) this.#panel.show(this.stats);
  }

  /** Takes the keyboard's focus: a tile by its button, else as a whole. */
  takeFocus() {
    if (this.classList.contains('tile')) this.#open.focus();
    else this.focus();
  }

  toggleMute() {
    this.#video.muted = !this.#video.muted;
    if (!this.#video.muted && this.#video.volume === 0) this.#video.volume = 1;
    this.#soundChanged();
  }

  /** Turns the sound off, for a player that is no longer the chosen one. */
  mute() {
    this.#video.muted = true;
    this.#soundChanged();
  }

  /** @param {number} volume from 0 to 1 */
  setVolume(volume) {
    this.#video.volume = Math.min(1, Math.max(0, volume));
    this.#video.muted = this.#video.volume === 0;
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
      else /** @type {any} */ (this.#video).webkitEnterFullscreen?.();
    } catch (error) {
      console.debug('sightline: full screen is refused', error);
    }
  }

  async togglePictureInPicture() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.#video.requestPictureInPicture();
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
        this.setVolume((this.#video.muted ? 0 : this.#video.volume) + (key === 'ArrowUp' ? step : -step));
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
    this.append(
      h('div', { class: 'player-frame' }, this.#video),
      h(
        'div',
        { class: 'player-message' },
        this.#symbol,
        this.#title,
        this.#detail,
        this.#ownId,
        this.#retry,
      ),
      h('div', { class: 'player-top' }, this.#name, this.#badge),
      this.#warning,
      this.#panel,
      this.#open,
      h(
        'div',
        { class: 'player-controls', role: 'toolbar', 'aria-label': 'Player' },
        this.#mute,
        this.#volume,
        h('span', { class: 'spacer' }),
        this.#statsButton,
        this.#pipButton,
        this.#fullButton,
      ),
    );
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
      if (event.target === this.#video) void this.toggleFullscreen();
    });
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
    const silent = this.#video.muted || this.#video.volume === 0;
    setIcon(this.#mute, silent ? 'muted' : 'sound');
    this.#label(this.#mute, silent ? 'Unmute (m)' : 'Mute (m)');
    this.#volume.value = silent ? '0' : String(Math.round(this.#video.volume * 100));
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
