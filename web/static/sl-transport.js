import { h, setText } from './dom.js';
import { icon, setIcon } from './icons.js';
import { rates } from './playback.js';

/** @param {number} rate @returns {string} "¼×", "16×" */
function rateInWords(rate) {
  const fractions = /** @type {Record<string, string>} */ ({ 0.25: '¼', 0.5: '½' });
  return `${fractions[rate] ?? rate}×`;
}

/**
 * What one does with the past: play, pause, single pictures, speed, events, and
 * back to the present. Event "sl-do", with what to do as its detail: "toggle",
 * "step-back", "step-on", "event-back", "event-on", "live"; and "sl-rate" with a rate.
 */
export class SlTransport extends HTMLElement {
  #play = this.#control('pause', 'Pause (space)', 'toggle');
  #back = this.#control('step-back', 'Picture before (,)', 'step-back');
  #on = this.#control('step-on', 'Next picture (.)', 'step-on');
  #eventBack = this.#control('event-back', 'Event before (b)', 'event-back');
  #eventOn = this.#control('event-on', 'Next event (n)', 'event-on');
  #rate = h('select', { class: 'rate', 'aria-label': 'Speed', title: 'Speed (< >)', 'data-testid': 'rate', onchange: () => this.#choose() },
    ...rates.map((rate) => h('option', { value: rate }, rateInWords(rate))));
  #live = h('button', { type: 'button', class: 'live-button', 'data-testid': 'go-live', onclick: () => this.#emit('live') },
    h('span', { class: 'dot' }), h('span', {}, 'Live'));

  connectedCallback() {
    if (this.#play.isConnected) return;
    this.#play.classList.add('play');
    this.append(this.#eventBack, this.#back, this.#play, this.#on, this.#eventOn, this.#rate, this.#live);
  }

  /**
   * @param {object} state
   * @param {boolean} state.live whether it is the present that is shown
   * @param {boolean} state.playing
   * @param {number} state.rate
   * @param {boolean} state.any whether there is any past
   */
  show({ live, playing, rate, any }) {
    const label = playing ? 'Pause (space)' : 'Play (space)';
    if (this.#play.title !== label) {
      setIcon(this.#play, playing ? 'pause' : 'play');
      this.#play.title = label;
      this.#play.setAttribute('aria-label', label);
    }
    for (const button of [this.#play, this.#back, this.#on, this.#eventBack, this.#eventOn]) button.disabled = !any;
    // The present has one speed.
    this.#rate.disabled = live;
    const value = String(live ? 1 : rate);
    if (this.#rate.value !== value) this.#rate.value = value;
    this.#rate.toggleAttribute('data-changed', value !== '1');
    this.#live.setAttribute('aria-pressed', String(live));
    const words = live ? 'The present is shown' : 'Back to the present (End)';
    this.#live.title = words;
    this.#live.setAttribute('aria-label', live ? 'Live' : 'Live: back to the present');
    setText(/** @type {Element} */ (this.#live.lastElementChild), 'Live');
  }

  #choose() {
    this.dispatchEvent(new CustomEvent('sl-rate', { detail: Number(this.#rate.value) }));
  }

  /** @param {string} name @param {string} label @param {string} what */
  #control(name, label, what) {
    return h('button', { type: 'button', class: 'control', title: label, 'aria-label': label, 'data-testid': what, onclick: () => this.#emit(what) },
      icon(name));
  }

  /** @param {string} what */
  #emit(what) {
    this.dispatchEvent(new CustomEvent('sl-do', { detail: what }));
  }
}

customElements.define('sl-transport', SlTransport);
