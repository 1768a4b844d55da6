/**
 * Dark and light: the system's choice until a person makes another.
 */

/** @returns {'dark' | 'light'} what is shown now */
export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

/** Changes to the other theme and remembers it, unless it is the system's. */
export function toggleTheme() {
  const system = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  if (next === system) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === system) localStorage.removeItem('sightline.theme');
    else localStorage.setItem('sightline.theme', next);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}
