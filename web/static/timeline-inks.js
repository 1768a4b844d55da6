/**
 * The colours of the style sheet, as a canvas takes them: names and functions of
 * a theme are resolved by an element that has them.
 */

/** @type {Record<keyof import('./timeline-draw.js').Inks, string>} */
const names = {
  text: '--text',
  quiet: '--quiet',
  line: '--tick',
  back: '--dock',
  empty: '--empty',
  recorded: '--recorded',
  selected: '--accent',
  failure: '--failure',
  failureText: '--bad',
  planned: '--tick',
  event: '--careful',
  live: '--good',
};

/**
 * @param {HTMLElement} element whose colour may be changed for a moment
 * @returns {import('./timeline-draw.js').Inks}
 */
export function readInks(element) {
  const style = getComputedStyle(element);
  const inks = Object.entries(names).map(([ink, name]) => {
    element.style.color = `var(${name})`;
    return [ink, style.color];
  });
  element.style.color = '';
  return Object.fromEntries(inks);
}

/**
 * @param {() => void} changed called when the theme is another one
 * @param {AbortSignal} signal ends it
 */
export function watchTheme(changed, signal) {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  signal.addEventListener('abort', () => observer.disconnect());
  for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)']) {
    matchMedia(query).addEventListener('change', changed, { signal });
  }
}
