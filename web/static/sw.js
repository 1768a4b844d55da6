// Keeps the page's own files, so that it opens when its server is gone and
// reaches the agents that this browser knows. Whoever serves the page puts a line
// before this one that says which files there are: a change of any of them
// changes this script, and so browsers fetch all of them anew.
//
// It also hands files that pages fetch over data channels to the browser's
// downloads (download-savers.js).
// @ts-check
{
  /**
   * @typedef {Event & { waitUntil(done: Promise<unknown>): void }} Stage
   * @typedef {Event & { request: Request, clientId: string, resultingClientId: string,
   *   respondWith(response: Promise<Response>): void }} Fetching
   * @typedef {Event & { data: any, ports: readonly MessagePort[] }} Told
   * @typedef {{ name: string, type: string, size: number, port: MessagePort }} Download a page that has one keeps the port
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

  /** Downloads that the browser has not asked for yet, by id. @type {Map<string, Download>} */
  const downloads = new Map();
  const downloadPath = /^\/download\/([0-9a-f-]{36})\//;

  /** A download is asked for in the moment in which it is announced, in milliseconds. */
  const announcedMs = 30_000;

  /** Pieces that are on their way from the page at a time. */
  const pieces = 4;

  /** @param {Told} event */
  function told({ data, ports: [port] }) {
    if (!data?.download || !port) return;
    const { id, name, type, size } = data.download;
    downloads.set(id, { name, type, size, port });
    setTimeout(() => downloads.delete(id), announcedMs);
    port.postMessage({ ready: true });
  }

  /**
   * @param {Download} download
   * @returns {Response} whose bytes the page sends, as fast as they are saved
   */
  function saved({ name, type, size, port }) {
    let asked = 0;
    /** @param {ReadableStreamDefaultController} controller */
    const ask = ({ desiredSize }) => {
      for (; asked < (desiredSize ?? 0); asked++) port.postMessage({ more: true });
    };
    const stream = new ReadableStream(
      {
        start(controller) {
          port.onmessage = ({ data }) => {
            if (data.bytes) {
              asked -= 1;
              return controller.enqueue(data.bytes);
            }
            port.close();
            return data.done ? controller.close() : controller.error(new Error(data.failed));
          };
        },
        pull: ask,
        cancel() {
          port.postMessage({ cancel: true });
          port.close();
        },
      },
      { highWaterMark: pieces },
    );
    const headers = {
      'Content-Type': type,
      'Content-Length': String(size),
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    };
    return new Response(stream, { headers });
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
  worker.addEventListener('message', (event) => told(/** @type {Told} */ (event)));
  worker.addEventListener('fetch', (event) => {
    const fetching = /** @type {Fetching} */ (event);
    const { method, mode, url } = fetching.request;
    const { origin, pathname } = new URL(url);
    if (method !== 'GET' || origin !== location.origin) return;
    const id = downloadPath.exec(pathname)?.[1] ?? '';
    const download = downloads.get(id);
    downloads.delete(id);
    if (download) return fetching.respondWith(Promise.resolve(saved(download)));
    if (!files.includes(pathname)) return;
    fetching.respondWith(mode === 'navigate' ? page(fetching) : file(fetching));
  });
}
