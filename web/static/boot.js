// Runs before anything is painted, and without the modules.
// @ts-check
{
  // A chosen theme must not flash.
  let theme = null;
  try {
    theme = localStorage.getItem('sightline.theme');
  } catch {
    // Storage is off: the system's theme it is.
  }
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;

  // A network that changes while the page loads ends what is on its way, and
  // without one of its modules the page stays empty: it is loaded once more. The
  // error of a script tag says that a module could not be had, never that one has
  // a fault, so nothing has run yet and the address still has all that a link brought.
  const again = performance.getEntriesByType('navigation').some((load) => 'type' in load && load.type === 'reload');
  const failed = (/** @type {Event} */ { target }) => {
    if (!again && target instanceof HTMLScriptElement) setTimeout(() => location.reload(), 1000); // a new network may need a moment
  };
  addEventListener('error', failed, { capture: true });
}
