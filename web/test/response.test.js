import { test } from 'node:test';
import assert from 'node:assert/strict';
import { HttpError, maxHeadBytes, ResponseParser } from '../static/response.js';
import { utf8 } from '../static/encoding.js';

/** Parses pieces one after the other and returns what came out. */
function parse(pieces, { method = 'GET', end = false } = {}) {
  const seen = { head: null, body: '', ended: 0 };
  const parser = new ResponseParser(method, {
    onHead: (head) => (seen.head = head),
    onBody: (bytes) => (seen.body += Buffer.from(bytes).toString()),
    onEnd: () => (seen.ended += 1),
  });
  for (const piece of pieces) parser.push(typeof piece === 'string' ? utf8(piece) : piece);
  if (end) parser.end();
  return { ...seen, done: parser.done };
}

const good = {
  'a length': ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'hello'],
  'chunks with extensions and a trailer': [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2 \r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n',
    'hello',
  ],
  'interim responses before it': [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    'ok',
  ],
  'bare line feeds': ['HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'ok'],
  'no reason': ['HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', ''],
  'a repeated equal length': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok', 'ok'],
  'no content': ['HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n', ''],
};

for (const [name, [text, body]] of Object.entries(good)) {
  test(`a response with ${name} is the same wherever it is cut`, () => {
    const bytes = utf8(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const result = parse([bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.deepEqual([result.body, result.ended, result.done], [body, 1, true], `cut at ${cut}`);
    }
    const single = parse([...bytes].map((byte) => Uint8Array.of(byte)));
    assert.deepEqual([single.body, single.ended], [body, 1]);
  });
}

test('a body without a length lasts until the connection closes', () => {
  const result = parse(['HTTP/1.1 200 OK\r\n\r\nhel', 'lo'], { end: true });
  assert.deepEqual([result.body, result.ended, result.head.keepAlive], ['hello', 1, false]);
});

test('a HEAD has no body whatever its length says', () => {
  assert.equal(parse(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'], { method: 'HEAD' }).done, true);
});

test('the connection is kept only where both sides may', () => {
  const keep = (text) => parse([`${text}\r\nContent-Length: 0\r\n\r\n`]).head.keepAlive;
  assert.equal(keep('HTTP/1.1 200 OK'), true);
  assert.equal(keep('HTTP/1.0 200 OK'), false);
  assert.equal(keep('HTTP/1.1 200 OK\r\nConnection: Close'), false);
  assert.equal(keep('HTTP/1.1 200 OK\r\nConnection: x, close'), false);
});

const bad = {
  'another protocol': 'SSH-2.0-x\r\n\r\n',
  'a status below 100': 'HTTP/1.1 099 x\r\n\r\n',
  'a protocol switch': 'HTTP/1.1 101 Switching\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'a negative length': 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
  'a length with a sign': 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n',
  'a huge length': 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n',
  'a length and chunks': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  'an unknown coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
  'a folded field': 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
  'a space before the colon': 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
  'a stray CR': 'HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n',
  'a chunk without size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n',
  'a chunk size with 0x': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\n',
  'a chunk longer than it says': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
  'bytes after the end': 'HTTP/1.1 204 No Content\r\n\r\nx',
  'an endless head': `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(maxHeadBytes)}`,
  'an endless chunk line': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(300)}`,
  'an endless trailer': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'A: b\r\n'.repeat(4000)}`,
  'too many fields': `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(101)}\r\n`,
};

for (const [name, text] of Object.entries(bad)) {
  test(`a response with ${name} is refused`, () => {
    assert.throws(() => parse([text]), HttpError);
    assert.throws(() => parse([...utf8(text)].map((byte) => Uint8Array.of(byte))), HttpError);
  });
}

test('a response cut off anywhere is an error', () => {
  for (const text of ['', 'HTTP/1.1 20', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n']) {
    assert.throws(() => parse([text], { end: true }), HttpError, text);
  }
});
