import { test } from 'node:test';
import assert from 'node:assert/strict';
import { HttpClient, HttpError, initialWindow, maxMessageBytes, receiveWindow, windowProtocol } from '../static/http1.js';
import { utf8 } from '../static/encoding.js';

/** A data channel whose other side is written by the test. */
class FakeChannel extends EventTarget {
  readyState = 'open';
  binaryType = 'blob';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  /** @type {Uint8Array[]} */ sent = [];
  /** @type {string[]} */ control = [];

  constructor(protocol = '') {
    super();
    this.protocol = protocol;
  }

  send(data) {
    if (this.readyState !== 'open') throw new Error('InvalidStateError');
    if (typeof data === 'string') this.control.push(data);
    else this.sent.push(data.slice());
  }

  close() {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.dispatchEvent(new Event('close'));
  }

  say(data) {
    const message = typeof data === 'string' ? utf8(data).buffer : data.buffer;
    this.dispatchEvent(new MessageEvent('message', { data: message }));
  }

  tell(text) {
    this.dispatchEvent(new MessageEvent('message', { data: text }));
  }

  get text() {
    return Buffer.concat(this.sent).toString();
  }
}

function setUp({ protocol = '' } = {}) {
  /** @type {FakeChannel[]} */
  const channels = [];
  const open = () => {
    channels.push(new FakeChannel(protocol));
    return channels.at(-1);
  };
  return { channels, http: new HttpClient({ open, host: 'peer' }) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a request goes out as HTTP/1.1 and the answer comes back', async () => {
  const { channels, http } = setUp();
  const answer = http.request('/v1/cameras', { headers: { Accept: 'application/json' } });
  await turn();
  assert.equal(channels[0].binaryType, 'arraybuffer');
  assert.equal(channels[0].text, 'GET /v1/cameras HTTP/1.1\r\nHost: peer\r\nAccept: application/json\r\n\r\n');
  channels[0].say('HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-A: 1\r\nX-A: 2\r\n\r\n{"a":"ü"}'.slice(0, 40));
  channels[0].say('HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-A: 1\r\nX-A: 2\r\n\r\n{"a":"b"}'.slice(40));
  const response = await answer;
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-a'), '1, 2');
  assert.deepEqual(await response.json(), { a: 'b' });
});

test('a connection is used again, and a second one opened while it is busy', async () => {
  const { channels, http } = setUp();
  const one = http.request('/1');
  await turn();
  const two = http.request('/2');
  await turn();
  assert.equal(channels.length, 2);
  for (const channel of channels) channel.say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal(await (await one).text(), 'ok');
  assert.equal(await (await two).text(), 'ok');
  void http.request('/3').catch(() => {});
  await turn();
  assert.equal(channels.length, 2);
  assert.match(channels[1].text, /GET \/3/);
});

test('a connection that the answer closes is not used again', async () => {
  const { channels, http } = setUp();
  const one = http.request('/1');
  await turn();
  channels[0].say('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  await (await one).text();
  void http.request('/2').catch(() => {});
  await turn();
  assert.equal(channels.length, 2);
  assert.equal(channels[0].readyState, 'closed');
});

test('a GET that meets a connection just closed is sent once more', async () => {
  const { channels, http } = setUp();
  const one = http.request('/1');
  await turn();
  channels[0].say('HTTP/1.1 204 No Content\r\n\r\n');
  await (await one).text();
  const two = http.request('/2');
  await turn();
  channels[0].close();
  await turn();
  channels[1].say('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal((await two).status, 204);
});

test('a POST is never sent twice', async () => {
  const { channels, http } = setUp();
  const one = http.request('/1');
  await turn();
  channels[0].say('HTTP/1.1 204 No Content\r\n\r\n');
  await (await one).text();
  const two = http.request('/2', { method: 'POST', body: 'x' });
  await turn();
  channels[0].close();
  await assert.rejects(two, HttpError);
  assert.equal(channels.length, 1);
});

test('a body streams while it arrives', async () => {
  const { channels, http } = setUp();
  const answer = http.request('/stream');
  await turn();
  channels[0].say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  const reader = (await answer).body.getReader();
  assert.equal(Buffer.from((await reader.read()).value).toString(), 'one');
  const next = reader.read();
  channels[0].say('3\r\ntwo\r\n');
  assert.equal(Buffer.from((await next).value).toString(), 'two');
  channels[0].say('0\r\n\r\n');
  assert.equal((await reader.read()).done, true);
});

test('a body that is cut off is an error and not an end', async () => {
  const { channels, http } = setUp();
  const answer = http.request('/');
  await turn();
  channels[0].say('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
  const response = await answer;
  channels[0].close();
  await assert.rejects(response.text(), HttpError);
});

test('aborting a request closes its connection', async () => {
  const { channels, http } = setUp();
  const stop = new AbortController();
  const answer = http.request('/', { signal: stop.signal });
  await turn();
  stop.abort();
  await assert.rejects(answer, { name: 'AbortError' });
  assert.equal(channels[0].readyState, 'closed');
});

test('an aborted request leaves its channel to the agent, which stops sending before it resets it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const answers of [true, false]) {
    const { channels, http } = setUp({ protocol: windowProtocol });
    const stop = new AbortController();
    const answer = http.request('/', { signal: stop.signal });
    await turn();
    const [channel] = channels;
    channel.say('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
    const { body } = await answer;
    stop.abort();
    await assert.rejects(body.getReader().read(), { name: 'AbortError' });
    assert.equal(channel.control.at(-1), 'fin');
    const said = channel.control.length;
    channel.say(new Uint8Array(1000)); // was on its way
    channel.tell('window 100000');
    assert.deepEqual([channel.readyState, channel.control.length], ['open', said]);
    void http.request('/').catch(() => {});
    await turn();
    assert.equal(channels.length, 2, 'it is not used again');
    if (answers) channel.close();
    else t.mock.timers.tick(10_000);
    assert.equal(channel.readyState, 'closed');
    http.close();
  }
});

test('closing the client fails what is under way and what comes later', async () => {
  const { http } = setUp();
  const answer = http.request('/');
  await turn();
  http.close();
  await assert.rejects(answer, HttpError);
  await assert.rejects(http.request('/'), HttpError);
});

test('a large body goes out in bounded messages and waits for a full channel', async () => {
  const { channels, http } = setUp();
  void http.request('/', { method: 'POST', body: new Uint8Array(100_000) }).catch(() => {});
  await turn();
  const [channel] = channels;
  assert.ok(channel.sent.every((message) => message.length <= maxMessageBytes));
  assert.equal(Buffer.concat(channel.sent).length, 100_000 + channel.text.indexOf('\r\n\r\n') + 4);

  const full = setUp();
  void full.http.request('/', { method: 'POST', body: new Uint8Array(100_000) }).catch(() => {});
  full.channels[0].bufferedAmount = 1 << 20;
  await turn();
  const before = full.channels[0].sent.length;
  assert.ok(before <= 1);
  full.channels[0].bufferedAmount = 0;
  full.channels[0].dispatchEvent(new Event('bufferedamountlow'));
  await turn();
  assert.ok(full.channels[0].sent.length > before);
});

test('a stream as body goes out in chunks', async () => {
  const { channels, http } = setUp();
  const body = new Blob(['hello']).stream();
  void http.request('/', { method: 'PUT', body }).catch(() => {});
  for (let i = 0; i < 10_000 && !channels[0]?.text.endsWith('0\r\n\r\n'); i++) await turn();
  assert.match(channels[0].text, /Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
});

test('the other side’s window is respected', async () => {
  const { channels, http } = setUp({ protocol: windowProtocol });
  void http.request('/', { method: 'POST', body: new Uint8Array(200_000) }).catch(() => {});
  await turn();
  const sent = () => Buffer.concat(channels[0].sent).length;
  assert.equal(sent(), initialWindow);
  channels[0].tell('window 70000');
  await turn();
  assert.equal(sent(), 70_000);
  channels[0].tell('window 60000');
  await turn();
  assert.equal(sent(), 70_000);
});

test('the window for the other side opens only as far as the body is read', async () => {
  const { channels, http } = setUp({ protocol: windowProtocol });
  const answer = http.request('/');
  await turn();
  const [channel] = channels;
  const size = 4 * receiveWindow;
  channel.say(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  const response = await answer;
  assert.equal(channel.control.length, 1);
  const granted = () => Number(channel.control.at(-1).slice('window '.length));
  const head = granted() - receiveWindow;
  for (let sent = 0; sent < receiveWindow; sent += 16384) channel.say(new Uint8Array(16384));
  assert.equal(granted(), head + receiveWindow);
  const reader = response.body.getReader();
  for (let read = 0; read < receiveWindow / 2; ) read += (await reader.read()).value.length;
  assert.ok(granted() > head + receiveWindow);
  assert.ok(granted() <= head + 1.5 * receiveWindow);
});

test('an overrun window, an unknown control message and "fin" close the connection', async () => {
  for (const act of [
    (channel) => channel.say(new Uint8Array(initialWindow + 1)),
    (channel) => channel.tell('hello'),
    (channel) => channel.tell('fin'),
  ]) {
    const { channels, http } = setUp({ protocol: windowProtocol });
    const answer = http.request('/');
    await turn();
    act(channels[0]);
    await assert.rejects(answer, HttpError);
    assert.equal(channels[0].readyState, 'closed');
  }
});

test('bytes nobody asked for close the connection', async () => {
  const { channels, http } = setUp();
  const answer = http.request('/');
  await turn();
  channels[0].say('HTTP/1.1 204 No Content\r\n\r\n');
  await (await answer).text();
  channels[0].say('HTTP/1.1 200 OK\r\n\r\n');
  assert.equal(channels[0].readyState, 'closed');
});

test('a header that would smuggle a line is refused', async () => {
  const { http } = setUp();
  await assert.rejects(http.request('/', { headers: { A: 'b\r\nC: d' } }), HttpError);
  await assert.rejects(http.request('/ HTTP/1.1\r\nA: b'), HttpError);
});
