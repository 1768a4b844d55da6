/**
 * What this browser keeps about access: grants, homes with their lists, and how
 * far it has read each publisher's log. In IndexedDB, shared by all tabs; where
 * the browser stores nothing it lives as long as the page.
 */
import { committed, done, openDatabase } from './database.js';

const objects = 'trust';

export class Vault {
  #factory;
  /** Used once storing has failed. @type {Map<string, any>} */ #memory = new Map();
  #failed = false;

  /** @param {IDBFactory | undefined} [factory] */
  constructor(factory = globalThis.indexedDB) {
    this.#factory = factory;
  }

  /** @param {string} key @returns {Promise<any>} undefined if there is nothing */
  async get(key) {
    return this.#try(
      (db) => done(db.transaction(objects).objectStore(objects).get(key)),
      () => this.#memory.get(key),
    );
  }

  /** @param {string} prefix @returns {Promise<string[]>} */
  async keys(prefix) {
    const keys = await this.#try(
      async (db) => /** @type {string[]} */ (await done(db.transaction(objects).objectStore(objects).getAllKeys())),
      () => [...this.#memory.keys()],
    );
    return keys.filter((key) => key.startsWith(prefix));
  }

  /**
   * Replaces a value by what change makes of it, in one step that no other tab
   * gets between.
   *
   * @template T
   * @param {string} key
   * @param {(value: T | undefined) => T | undefined} change undefined deletes
   * @returns {Promise<T | undefined>} the new value
   */
  async update(key, change) {
    return this.#try(
      async (db) => {
        const transaction = db.transaction(objects, 'readwrite');
        const store = transaction.objectStore(objects);
        const end = committed(transaction);
        /** @type {T | undefined} */ let value;
        const request = store.get(key);
        request.onsuccess = () => {
          value = change(request.result);
          if (value === undefined) store.delete(key);
          else store.put(value, key);
        };
        await end;
        return value;
      },
      () => {
        const value = change(this.#memory.get(key));
        if (value === undefined) this.#memory.delete(key);
        else this.#memory.set(key, value);
        return value;
      },
    );
  }

  /**
   * @template T
   * @param {(db: IDBDatabase) => Promise<T>} stored
   * @param {() => T} inMemory
   * @returns {Promise<T>}
   */
  async #try(stored, inMemory) {
    if (this.#factory && !this.#failed) {
      try {
        const db = await openDatabase(this.#factory);
        try {
          return await stored(db);
        } finally {
          db.close();
        }
      } catch (error) {
        this.#failed = true;
        console.warn('sightline: what this browser may do cannot be stored', error);
      }
    }
    return inMemory();
  }
}
