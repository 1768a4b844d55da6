// Runs before anything is painted, so that a chosen theme does not flash.
// @ts-check
{
  let theme = null;
  try {
    theme = localStorage.getItem('sightline.theme');
  } catch {
    // Storage is off: the system's theme it is.
  }
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
}
