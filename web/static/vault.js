/**
 * What this browser keeps about access (grants, homes with their lists, how far
 * it has read each publisher's log) and about paths to publishers. In IndexedDB,
 * shared by all tabs; where the browser stores nothing it lives as long as the
 * page.
 */
import { committed, done, openDatabase } from './database.js';

export class Vault {
  // Constant after construction.
  #factory;
  #objects;

  /** Used once storing has failed. @type {Map<string, any>} */ #memory = new Map();
  #failed = false;

  /**
   * @param {IDBFactory | undefined} [factory]
   * @param {'trust' | 'paths'} [objects] which of the database's stores
   */
  constructor(factory = globalThis.indexedDB, objects = 'trust') {
    this.#factory = factory;
    this.#objects = objects;
  }

  /** @param {string} key @returns {Promise<any>} undefined if there is nothing */
  async get(key) {
    return this.#try(
      (db) => done(this.#store(db).get(key)),
      () => this.#memory.get(key),
    );
  }

  /** @param {string} prefix @returns {Promise<string[]>} */
  async keys(prefix) {
    const keys = await this.#try(
      async (db) => /** @type {string[]} */ (await done(this.#store(db).getAllKeys())),
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
        const transaction = db.transaction(this.#objects, 'readwrite');
        const store = transaction.objectStore(this.#objects);
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

  /** @param {IDBDatabase} db */
  #store(db) {
    return db.transaction(this.#objects).objectStore(this.#objects);
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
        console.warn('sightline: nothing can be stored in this browser', error);
      }
    }
    return inMemory();
  }
}
