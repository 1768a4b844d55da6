/**
 * Runs the service worker as a browser would.
 */
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';

/** @returns a worker that can be told things, and asked for addresses */
export function loadWorker() {
  const handlers = {};
  const origin = 'https://page';
  const self = {
    shell: { version: '1', files: ['/', '/a.js'] },
    addEventListener: (type, handler) => (handlers[type] = handler),
  };
  const kept = { match: async () => undefined, addAll: async () => {} };
  runInNewContext(readFileSync(new URL('../static/sw.js', import.meta.url), 'utf8'), {
    self, URL, Request, Response, ReadableStream, Error, Promise, console, fetch: async () => new Response('from the server'),
    setTimeout: (run, ms) => setTimeout(run, ms).unref?.(),
    location: { origin }, caches: { open: async () => kept, keys: async () => [], delete: async () => true },
  });
  return {
    postMessage: (data, ports = []) => handlers.message({ data: structuredClone(data), ports }),
    /** @returns {Promise<Response | undefined>} undefined if the worker leaves it to the browser */
    async fetch(path, { mode = 'navigate', method = 'GET' } = {}) {
      let answer;
      handlers.fetch({ request: { method, mode, url: origin + path }, clientId: 'c', resultingClientId: 'r', respondWith: (response) => (answer = response) });
      return answer;
    },
  };
}
