import { h, redraw } from './dom.js';
import { icon } from './icons.js';
import { popoverOf } from './popover.js';
import { clockTime } from './status.js';

const minute = 60_000;

/** @param {number} nowMs @returns {number} eight in the morning of the next day */
function tomorrow(nowMs) {
  const date = new Date(nowMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1, 8).getTime();
}

/** For how long recording can be paused. @type {{ label: string, until: (nowMs: number) => number }[]} */
const choices = [
  { label: 'For 15 minutes', until: (nowMs) => nowMs + 15 * minute },
  { label: 'For an hour', until: (nowMs) => nowMs + 60 * minute },
  { label: 'Until tomorrow, 08:00', until: tomorrow },
  { label: 'Until I resume it', until: () => 0 },
];

/**
 * @param {{ paused: boolean, pausedUntilMs: number }} camera
 * @param {Date} [now]
 * @returns {string} "Recording paused until 15:30", or empty
 */
export function pauseInWords({ paused, pausedUntilMs }, now = new Date()) {
  if (!paused) return '';
  return pausedUntilMs > 0 ? `Recording paused until ${clockTime(new Date(pausedUntilMs).toISOString(), now)}` : 'Recording paused';
}

/**
 * Pauses the recording of a camera, for privacy. Events "sl-pause" { untilMs },
 * 0 for no end, and "sl-resume".
 */
export class SlPrivacy extends HTMLElement {
  #button = h('button', { type: 'button', class: 'control', 'data-testid': 'privacy' }, icon('privacy'));
  #panel = popoverOf(this.#button, 'Pause recording', { class: 'menu', testid: 'privacy-menu', onopen: () => this.#draw() });
  #camera = { paused: false, pausedUntilMs: 0 };
  #now = Date.now;

  connectedCallback() {
    if (!this.#button.isConnected) this.append(this.#button, this.#panel);
  }

  /** @param {{ paused: boolean, pausedUntilMs: number }} camera @param {() => number} now the recorder's clock */
  show(camera, now) {
    this.#now = now;
    this.#camera = camera;
    const label = pauseInWords(camera) || 'Pause recording';
    this.#button.toggleAttribute('data-on', camera.paused);
    if (this.#button.title === label) return;
    this.#button.title = label;
    this.#button.setAttribute('aria-label', label);
  }

  #draw() {
    const item = (/** @type {string} */ label, /** @type {() => void} */ act) =>
      h('button', { type: 'button', class: 'menu-item', onclick: () => this.#done(act) }, label);
    const emit = (/** @type {string} */ type, /** @type {object} */ detail = {}) => this.dispatchEvent(new CustomEvent(type, { detail }));
    if (this.#camera.paused) {
      redraw(
        this.#panel,
        h('p', { class: 'menu-title' }, `${pauseInWords(this.#camera)}.`),
        item('Resume recording now', () => emit('sl-resume')),
      );
      return;
    }
    redraw(
      this.#panel,
      h('p', { class: 'menu-title' }, 'Stop recording this camera'),
      ...choices.map(({ label, until }) => item(label, () => emit('sl-pause', { untilMs: Math.round(until(this.#now())) }))),
      h('p', { class: 'menu-note' }, 'Watching live goes on. The timeline shows the pause and who asked for it.'),
    );
  }

  /** @param {() => void} act */
  #done(act) {
    this.#panel.hidePopover();
    act();
  }
}

customElements.define('sl-privacy', SlPrivacy);
