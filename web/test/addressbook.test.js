import { test } from 'node:test';
import assert from 'node:assert/strict';
import { AddressBook } from '../static/addressbook.js';
import { Vault } from '../static/vault.js';
import { FakeIndexedDB } from './fake-indexeddb.js';

const stun = { urls: ['stun:a:3478'], username: '', credential: '', expires: 0 };
const relay = { urls: ['turn:a:3478'], username: 'u', credential: 'p', expires: 2_000 };
const answer = {
  secret: Buffer.alloc(32, 7).toString('base64url'),
  expires: '2030-01-01T00:00:00Z',
  expiresUnix: 5_000,
  addresses: ['192.168.1.5:40000', '[2001:db8::1]:40000'],
  fingerprint: `sha-256 ${'AB:'.repeat(32).slice(0, -1)}`,
};

function setUp() {
  const vault = new Vault(new FakeIndexedDB(), 'paths');
  const clock = { nowMs: 1_000_000 };
  return { vault, clock, book: new AddressBook({ vault, now: () => clock.nowMs }) };
}

test('servers are kept until their credentials end, and unknown publishers have no list', async () => {
  const { book, clock } = setUp();
  assert.equal(await book.servers('peer'), null);
  await book.keepServers('peer', [stun, relay]);
  assert.deepEqual(await book.servers('peer'), [stun, relay]);
  clock.nowMs = 1_999_000;
  assert.deepEqual(await book.servers('peer'), [stun]);
  await book.keepServers('service', []);
  assert.deepEqual(await book.servers('service'), []);
});

test('a ticket’s secret cannot be read back, and the ticket ends', async () => {
  const { book, clock } = setUp();
  await book.keepServers('peer', [stun]);
  await book.keepTicket('peer', answer);
  const { key, ...rest } = await book.ticket('peer');
  assert.deepEqual(rest, { expiresUnix: 5_000, addresses: answer.addresses, fingerprint: answer.fingerprint });
  assert.equal(key.extractable, false);
  assert.deepEqual(await book.servers('peer'), [stun]);
  clock.nowMs = 5_000_000;
  assert.equal(await book.ticket('peer'), null);
});

test('what is no ticket is refused, whatever would end up in a description', async () => {
  const { book } = setUp();
  const bad = [
    null, {}, { ...answer, secret: 'short' }, { ...answer, expiresUnix: -1 }, { ...answer, addresses: null },
    { ...answer, addresses: [1] },
    { ...answer, fingerprint: 'sha-1 AB' }, { ...answer, fingerprint: `${answer.fingerprint}\r\na=x` },
  ];
  for (const each of bad) await assert.rejects(book.keepTicket('peer', each), TypeError, JSON.stringify(each));
  assert.equal(await book.ticket('peer'), null);
  const odd = ['192.168.1.5', '192.168.1.5:1\r\na=x', 'agent.example:4000', '[fe80::1%eth0]:4000', '10.0.0.1:1'];
  assert.deepEqual((await book.keepTicket('peer', { ...answer, addresses: odd })).addresses, ['10.0.0.1:1']);
  const many = await book.keepTicket('peer', { ...answer, addresses: Array(30).fill('10.0.0.1:1') });
  assert.equal(many.addresses.length, 16);
});

test('it remembers 64 publishers and forgets the one not seen for longest', async () => {
  const { book, clock } = setUp();
  for (let i = 0; i < 64; i++) {
    clock.nowMs += 1;
    await book.keepServers(`peer${i}`, [stun]);
  }
  clock.nowMs += 1;
  await book.keepServers('peer0', []);
  await book.keepServers('new', [stun]);
  assert.equal(await book.servers('peer1'), null);
  assert.deepEqual([await book.servers('peer0'), await book.servers('new')], [[], [stun]]);
});
