/**
 * As much of IndexedDB as the page uses: object stores with keys of their own,
 * version upgrades, and transactions that end when nothing is asked of them any
 * more. What is stored is cloned, CryptoKeys excepted, as a browser does it.
 */
class Request {
  result = undefined;
  error = null;
  onsuccess = null;
  onerror = null;
}

const later = (action) => queueMicrotask(action);

function cloned(value) {
  if (value === null || typeof value !== 'object' || value instanceof CryptoKey) return value;
  if (Array.isArray(value)) return value.map(cloned);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, cloned(each)]));
}

class Transaction {
  #open = 0;
  #stores;
  #mode;
  error = null;
  oncomplete = null;

  constructor(stores, mode) {
    this.#stores = stores;
    this.#mode = mode;
    // Two rounds of the queue: whoever opened it gets to ask first.
    setImmediate(() => this.#settle());
  }

  objectStore(name) {
    const rows = this.#stores.get(name);
    if (!rows) throw new DOMException(name, 'NotFoundError');
    const writing = (action) => {
      if (this.#mode !== 'readwrite') throw new DOMException('', 'ReadOnlyError');
      return this.#ask(action);
    };
    return {
      get: (key) => this.#ask(() => cloned(rows.get(key))),
      getAllKeys: () => this.#ask(() => [...rows.keys()].sort()),
      put: (value, key) => writing(() => void rows.set(key, cloned(value))),
      delete: (key) => writing(() => void rows.delete(key)),
    };
  }

  #ask(action) {
    if (this.#open < 0) throw new DOMException('', 'TransactionInactiveError');
    this.#open += 1;
    const request = new Request();
    later(() => {
      request.result = action();
      request.onsuccess?.({ target: request });
      later(() => {
        this.#open -= 1;
        this.#settle();
      });
    });
    return request;
  }

  #settle() {
    if (this.#open !== 0) return;
    this.#open = -1;
    this.oncomplete?.();
  }
}

export class FakeIndexedDB {
  /** @type {Map<string, { version: number, stores: Map<string, Map<any, any>> }>} */
  databases = new Map();

  open(name, version) {
    const request = new Request();
    setImmediate(() => {
      const database = this.databases.get(name) ?? { version: 0, stores: new Map() };
      const oldVersion = database.version;
      request.result = {
        createObjectStore: (store) => {
          if (database.stores.has(store)) throw new DOMException(store, 'ConstraintError');
          database.stores.set(store, new Map());
        },
        transaction: (_, mode = 'readonly') => new Transaction(database.stores, mode),
        close() {},
      };
      if (version < oldVersion) {
        request.error = new DOMException('', 'VersionError');
        return request.onerror?.();
      }
      if (version > oldVersion) {
        database.version = version;
        this.databases.set(name, database);
        request.onupgradeneeded?.({ oldVersion });
      }
      request.onsuccess?.();
    });
    return request;
  }
}
