/**
 * The page's database: the keys, what this browser knows about access, and how
 * publishers were reached.
 * Every version adds to the one before; nothing is ever thrown away.
 */

const name = 'sightline';
const version = 3;

/** The object stores, by the version that brought them. */
const stores = { keys: 1, trust: 2, paths: 3 };

/**
 * @param {IDBFactory} factory
 * @returns {Promise<IDBDatabase>} close it soon: an open one holds up the next version's page
 */
export async function openDatabase(factory) {
  const request = factory.open(name, version);
  request.onupgradeneeded = ({ oldVersion }) => {
    for (const [store, since] of Object.entries(stores)) {
      if (oldVersion < since) request.result.createObjectStore(store);
    }
  };
  const db = await done(request);
  db.onversionchange = () => db.close();
  return db;
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} once everything in it is stored */
export function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
