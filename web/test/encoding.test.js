import { test } from 'node:test';
import assert from 'node:assert/strict';
import { fromBase64Url, toBase32, toBase64Url, utf8 } from '../static/encoding.js';

test('base64url goes there and back for every length', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 255);
    const text = toBase64Url(bytes);
    assert.equal(text, Buffer.from(bytes).toString('base64url'));
    assert.deepEqual(fromBase64Url(text), bytes);
  }
});

test('base64url refuses a second spelling of the same bytes', () => {
  for (const bad of ['A', 'AA==', 'AB', 'A+/A', 'AA\n', ' AA', 'é']) {
    assert.throws(() => fromBase64Url(bad), SyntaxError, bad);
  }
});

test('base32 agrees with the vectors of RFC 4648, in lower case and without padding', () => {
  const vectors = { '': '', f: 'my', fo: 'mzxq', foo: 'mzxw6', foob: 'mzxw6yq', fooba: 'mzxw6ytb', foobar: 'mzxw6ytboi' };
  for (const [plain, want] of Object.entries(vectors)) assert.equal(toBase32(utf8(plain)), want);
});
