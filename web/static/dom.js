/**
 * Makes elements without markup in strings, which the page's policy refuses.
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes] "class" and other attributes; a function under "onclick" and the
 *   like becomes a listener; true is an empty attribute; false, null and undefined leave it out
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * Sets an element's text if it differs, so that screen readers and selections
 * are left alone.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Replaces an element's children by newer ones. The keyboard's focus goes on
 * to the child with the same data-key as the one that had it, if there is one.
 *
 * @param {Element} element
 * @param {...(Node | null)} children
 */
export function redraw(element, ...children) {
  const active = document.activeElement;
  const key = active && element.contains(active) ? /** @type {HTMLElement} */ (active).dataset.key : undefined;
  element.replaceChildren(...children.filter((child) => child !== null));
  if (key === undefined) return;
  const next = [...element.querySelectorAll('[data-key]')].find((each) => /** @type {HTMLElement} */ (each).dataset.key === key);
  /** @type {HTMLElement | undefined} */ (next)?.focus();
}
