import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { agreedAnswer, agreedCredentials } from '../static/direct.js';
import { fromBase32, toBase32 } from '../static/encoding.js';

const secret = Buffer.alloc(32, 9);
const viewer = toBase32(new Uint8Array(32).fill(5));
const offer = `v=0\r\na=fingerprint:sha-256 ${'0a:'.repeat(32).slice(0, -1)}\r\n`;
const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
const ticket = { key, expiresUnix: 0x01020304, addresses: ['192.0.2.1:40000', '[2001:db8::1]:40001'], fingerprint: 'sha-256 AB:CD' };

test('the fragment says who dials, with which certificate and until when; the password proves it', async () => {
  const { ufrag, pwd } = await agreedCredentials(ticket, viewer, offer, new Uint8Array(8).fill(6));
  assert.match(ufrag, /^sl[A-Za-z0-9+/]{103}$/);
  const bytes = Buffer.from(ufrag.slice(2), 'base64');
  const parts = [[1], Array(32).fill(5), [1, 2, 3, 4], Array(32).fill(10), Array(8).fill(6)];
  assert.deepEqual([...bytes], parts.flat());
  assert.equal(pwd, createHmac('sha256', secret).update(ufrag).digest('base64').replaceAll('=', ''));
  assert.equal(pwd.length, 43);
  assert.notEqual((await agreedCredentials(ticket, viewer, offer)).ufrag, (await agreedCredentials(ticket, viewer, offer)).ufrag);
  await assert.rejects(agreedCredentials(ticket, viewer, 'v=0\r\n'), TypeError);
});

test('the answer names the known certificate and addresses', () => {
  const sdp = agreedAnswer(ticket, { ufrag: 'slx', pwd: 'p' });
  assert.match(sdp, /^v=0\r\n(?:[^\r\n]+\r\n)+$/);
  for (const line of ['a=ice-lite', 'a=setup:passive', 'a=ice-ufrag:slx', 'a=ice-pwd:p', 'a=fingerprint:sha-256 AB:CD',
    'a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host', 'a=candidate:2 1 udp 2130706175 2001:db8::1 40001 typ host']) {
    assert.ok(sdp.includes(`${line}\r\n`), line);
  }
});

test('base32 has one spelling', () => {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  assert.deepEqual(fromBase32(toBase32(bytes)), bytes);
  for (const bad of ['A', 'a', 'a0', '1'.repeat(52), `${'a'.repeat(51)}b`]) assert.throws(() => fromBase32(bad), SyntaxError, bad);
});
