/**
 * A value that can be watched.
 *
 * @template {object} T
 */
export class Store {
  /** @type {T} */ #value;
  /** @type {Set<(value: T) => void>} */ #watchers = new Set();

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  /** @returns {T} the current value; treat it as read-only */
  get value() {
    return this.#value;
  }

  /**
   * Replaces some fields and tells the watchers, unless nothing changed.
   *
   * @param {Partial<T>} changes
   */
  set(changes) {
    const keys = /** @type {(keyof T)[]} */ (Object.keys(changes));
    if (keys.every((key) => Object.is(this.#value[key], changes[key]))) return;
    this.#value = { ...this.#value, ...changes };
    for (const watcher of [...this.#watchers]) {
      if (this.#watchers.has(watcher)) watcher(this.#value);
    }
  }

  /**
   * Calls watcher now and after every change.
   *
   * @param {(value: T) => void} watcher
   * @returns {() => void} ends the watching
   */
  watch(watcher) {
    this.#watchers.add(watcher);
    watcher(this.#value);
    return () => void this.#watchers.delete(watcher);
  }
}
