import { test, mock } from 'node:test';
import assert from 'node:assert/strict';
import { fromBase64Url } from '../static/encoding.js';
import { IdentityError, openIdentity } from '../static/identity.js';
import { sign, verify } from '../static/jws.js';
import { FakeIndexedDB } from './fake-indexeddb.js';
import { keyOf } from './someone.js';

test('both keys are kept, and neither can be taken out', async () => {
  const indexedDB = new FakeIndexedDB();
  const first = await openIdentity({ crypto, indexedDB });
  const again = await openIdentity({ crypto, indexedDB });
  assert.equal(first.persistent, true);
  assert.deepEqual([again.peerId, again.agreementKey], [first.peerId, first.agreementKey]);
  assert.equal(fromBase64Url(first.agreementKey).length, 65);
  const keys = indexedDB.databases.get('sightline').stores.get('keys');
  assert.deepEqual([...keys.keys()].sort(), ['agreement', 'self']);
  for (const { privateKey } of keys.values()) {
    assert.equal(privateKey.extractable, false);
    await assert.rejects(crypto.subtle.exportKey('pkcs8', privateKey));
  }
  assert.deepEqual(keys.get('agreement').privateKey.usages, ['deriveBits']);
});

test('a browser that had one key keeps it and gets the second', async () => {
  const indexedDB = new FakeIndexedDB();
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  indexedDB.databases.set('sightline', { version: 1, stores: new Map([['keys', new Map([['self', pair]])]]) });
  const { x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const identity = await openIdentity({ crypto, indexedDB });
  assert.deepEqual([identity.jwk.x, identity.jwk.y, identity.persistent], [x, y, true]);
  assert.equal((await verify(await sign(identity, 'x'))).from, identity.peerId);
  assert.equal((await openIdentity({ crypto, indexedDB })).agreementKey, identity.agreementKey);
  assert.deepEqual([...indexedDB.databases.get('sightline').stores.keys()], ['keys', 'trust', 'paths']);
});

test('tabs that are opened at once are one peer', async () => {
  const indexedDB = new FakeIndexedDB();
  const tabs = await Promise.all(Array.from({ length: 4 }, () => openIdentity({ crypto, indexedDB })));
  assert.equal(new Set(tabs.map(({ peerId }) => peerId)).size, 1);
  assert.equal(new Set(tabs.map(({ agreementKey }) => agreementKey)).size, 1);
});

test('where nothing can be stored both keys live as long as the page', async (t) => {
  mock.method(console, 'warn', () => {});
  t.after(() => mock.restoreAll());
  const refusing = { open() { throw new DOMException('', 'SecurityError'); } };
  for (const indexedDB of [undefined, refusing]) {
    const [one, other] = await Promise.all([openIdentity({ crypto, indexedDB }), openIdentity({ crypto, indexedDB })]);
    assert.equal(one.persistent, false);
    assert.notEqual(one.agreementKey, other.agreementKey);
    assert.deepEqual(await one.agree((await keyOf(other)).key), await other.agree((await keyOf(one)).key));
  }
});

test('a page that is no secure context says what helps', async () => {
  await assert.rejects(openIdentity({}), IdentityError);
});
