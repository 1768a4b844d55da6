import { h } from './dom.js';

/** Room between a popover and what opened it, and the edges of the window, in pixels. */
const gapPx = 8;

/**
 * Makes a panel that a button opens above or below itself: the browser closes it
 * by Escape or a press elsewhere, and gives the keyboard's focus back.
 *
 * @param {HTMLButtonElement} button
 * @param {string} label of the panel
 * @param {{ class?: string, onopen?: () => void, testid?: string }} [options] onopen: called before it is shown
 * @returns {HTMLDivElement} to be put beside the button
 */
export function popoverOf(button, label, { class: name = '', onopen = () => {}, testid } = {}) {
  const panel = h('div', { class: `popover ${name}`, popover: 'auto', role: 'dialog', 'aria-label': label, 'data-testid': testid });
  button.popoverTargetElement = panel;
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-haspopup', 'dialog');
  panel.addEventListener('beforetoggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    if (open) onopen();
  });
  panel.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== 'open') return;
    place(button, panel);
    /** @type {HTMLElement | null} */ (panel.querySelector('[data-first], button:not(:disabled)'))?.focus();
  });
  return panel;
}

/** @param {HTMLElement} button @param {HTMLElement} panel */
function place(button, panel) {
  const anchor = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = Math.max(gapPx, Math.min(anchor.left + anchor.width / 2 - width / 2, innerWidth - width - gapPx));
  const above = anchor.top - gapPx - height;
  const top = above >= gapPx ? above : Math.min(anchor.bottom + gapPx, innerHeight - height - gapPx);
  panel.style.left = `${Math.round(left)}px`;
  panel.style.top = `${Math.round(Math.max(gapPx, top))}px`;
}
