/**
 * Lets the browser keep the page's own files (sw.js), so that the page opens
 * when its server is gone.
 */

/** The page is loaded and shows something before its files are fetched once more, in milliseconds. */
const laterMs = 3_000;

/**
 * The page's policy lets one address become a script's, and it is this one:
 * whatever is asked for.
 */
const { trustedTypes } = /** @type {{ trustedTypes?: { createPolicy(name: string, rules: object): any } }} */ (globalThis);
const policy = trustedTypes?.createPolicy('sightline-worker', { createScriptURL: () => '/sw.js' });

/** Asks the browser to keep the page, in a while. */
export function keepPage() {
  // Only secure contexts have it, and those whose certificate is accepted by hand cannot use it.
  setTimeout(() => {
    navigator.serviceWorker
      ?.register(policy?.createScriptURL('') ?? '/sw.js', { updateViaCache: 'none' })
      .catch((error) => console.debug('sightline: this browser does not keep the page', error));
  }, laterMs);
}
