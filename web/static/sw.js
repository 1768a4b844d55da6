// Keeps the page's own files, so that it opens when its server is gone and
// reaches the agents that this browser knows. Whoever serves the page puts a line
// before this one that says which files there are: a change of any of them
// changes this script, and so browsers fetch all of them anew.
// @ts-check
{
  /**
   * @typedef {Event & { waitUntil(done: Promise<unknown>): void }} Stage
   * @typedef {Event & { request: Request, clientId: string, resultingClientId: string,
   *   respondWith(response: Promise<Response>): void }} Fetching
   * @typedef {EventTarget & { shell: { version: string, files: string[] }, skipWaiting(): Promise<void> }} Worker
   */
  const worker = /** @type {Worker} */ (/** @type {unknown} */ (self));
  const { version, files } = worker.shell;
  const prefix = 'sightline-';
  const name = prefix + version;

  /** A server that says nothing for this long is taken for gone, in milliseconds. */
  const patienceMs = 3000;

  /** The last pages that are of this version: their files come from here, all of one version. @type {string[]} */
  const pages = [];

  const kept = async (/** @type {string} */ path) => (await caches.open(name)).match(path, { ignoreVary: true });

  /** @param {Fetching} event @returns {Promise<Response>} the page: the server's, if there is one */
  async function page({ request, resultingClientId }) {
    const late = new Promise((_, reject) => setTimeout(reject, patienceMs, new Error('The server does not answer.')));
    /** @type {Response | undefined} */ let response;
    try {
      response = await Promise.race([fetch(request), late]);
    } catch (error) {
      console.debug('sightline: the page comes from this browser', error);
    }
    const gone = !response || response.status >= 500;
    const mine = gone ? await kept('/') : undefined;
    if (mine || response?.headers.get('Sightline-Version') === version) {
      pages.push(resultingClientId);
      pages.splice(0, pages.length - 32);
    }
    return mine ?? response ?? Response.error();
  }

  /** @param {Fetching} event @returns {Promise<Response>} */
  async function file({ request, clientId }) {
    const mine = pages.includes(clientId) ? await kept(new URL(request.url).pathname) : undefined;
    return mine ?? fetch(request);
  }

  async function keep() {
    const cache = await caches.open(name);
    await cache.addAll(files.map((path) => new Request(path, { cache: 'no-cache' })));
    await worker.skipWaiting();
  }

  async function forgetOthers() {
    const names = await caches.keys();
    await Promise.all(names.filter((each) => each.startsWith(prefix) && each !== name).map((each) => caches.delete(each)));
  }

  worker.addEventListener('install', (event) => /** @type {Stage} */ (event).waitUntil(keep()));
  worker.addEventListener('activate', (event) => /** @type {Stage} */ (event).waitUntil(forgetOthers()));
  worker.addEventListener('fetch', (event) => {
    const fetching = /** @type {Fetching} */ (event);
    const { method, mode, url } = fetching.request;
    const { origin, pathname } = new URL(url);
    if (method !== 'GET' || origin !== location.origin || !files.includes(pathname)) return;
    fetching.respondWith(mode === 'navigate' ? page(fetching) : file(fetching));
  });
}
