import { h } from './dom.js';
import { icon, setIcon } from './icons.js';

/** How long the button says that it has copied, in milliseconds. */
const doneMs = 2000;

/**
 * A button that copies a text. Where the browser refuses, it selects the
 * element that shows the text, so that a key does the rest.
 */
export class SlCopy extends HTMLElement {
  /** What is copied. */
  text = '';
  /** What shows the text. @type {Element | null} */
  source = null;
  #words = h('span', {}, 'Copy');
  #button = h('button', { type: 'button', class: 'button', onclick: () => void this.#copy() }, icon('copy'), this.#words);
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** @param {string} label for screen readers, such as "Copy the link" */
  set label(label) {
    this.#button.setAttribute('aria-label', label);
  }

  connectedCallback() {
    if (!this.#button.isConnected) this.append(this.#button);
  }

  async #copy() {
    let words = 'Copied';
    try {
      await navigator.clipboard.writeText(this.text);
      setIcon(this.#button, 'done');
    } catch {
      if (this.source instanceof HTMLInputElement) this.source.select();
      else if (this.source) getSelection()?.selectAllChildren(this.source);
      words = 'Press Ctrl+C';
    }
    this.#words.textContent = words;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      setIcon(this.#button, 'copy');
      this.#words.textContent = 'Copy';
    }, doneMs);
  }
}

customElements.define('sl-copy', SlCopy);
