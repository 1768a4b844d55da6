import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readAgentNetwork, readOwnNetwork, tellPath, unknownNetwork } from '../static/path-story.js';

const agent = (more) => ({ udp: 'open', mapping: 'endpoint-independent', candidates: [], ...more });
const own = (more) => ({ udp: 'open', changesPort: false, ...more });
const symmetric = 'address-and-port-dependent';
const mapped = (by) => ({ kind: 'mapped', address: '203.0.113.9:40000', protocol: 'udp', by });
const relayed = { path: 'relayed' };
const direct = (remote) => ({ path: 'direct', remote: { kind: 'srflx', address: '203.0.113.9', port: 40000, protocol: 'udp', ...remote } });

test('a relay has a reason', () => {
  const reasons = [
    [own({ changesPort: true }), agent({ mapping: symmetric }), 'both networks change the port for every destination'],
    [own({ changesPort: true }), agent({ mapping: 'address-dependent' }), 'both networks change the port for every destination'],
    [own({ udp: 'blocked' }), agent(), 'this network lets no UDP through'],
    [own(), agent({ udp: 'blocked' }), 'the agent’s network lets no UDP through'],
    [own({ udp: 'blocked' }), agent({ udp: 'blocked' }), 'neither network lets UDP through'],
    [own({ changesPort: true }), agent(), 'this network changes the port for every destination, and the agent’s lets in only those it knows'],
    [own(), agent({ mapping: symmetric }), 'the agent’s network changes the port for every destination, and this one lets in only those it knows'],
    [unknownNetwork, null, 'no direct way was found between the two networks'],
  ];
  for (const [ours, theirs, why] of reasons) assert.equal(tellPath(relayed, ours, theirs), `Relayed: ${why}.`);
});

test('so has a direct path', () => {
  const reasons = [
    [direct({ kind: 'host', address: '192.168.1.5' }), agent(), 'this browser and the agent are in the same network'],
    [direct({ kind: 'host', address: 'fd00::1' }), null, 'this browser and the agent are in the same network'],
    [direct({ kind: 'host', address: '2001:db8::1' }), agent(), 'both have IPv6'],
    [direct({ kind: 'host' }), agent(), 'the agent has a public address'],
    [direct({ kind: 'prflx', address: '' }), agent(), 'the two have found a way through their routers'],
    [direct(), agent(), 'the two have found a way through their routers'],
    [direct(), agent({ candidates: [mapped('upnp')] }), 'the agent’s router has opened a port (UPnP)'],
    [direct({ kind: 'host' }), agent({ candidates: [mapped('pcp')] }), 'the agent’s router has opened a port (PCP)'],
    [direct({ protocol: 'tcp' }), agent(), 'over TCP, as no UDP gets through'],
  ];
  for (const [connection, theirs, why] of reasons) assert.equal(tellPath(connection, own(), theirs), `Direct: ${why}.`);
  assert.equal(tellPath({ path: 'unknown', remote: null }, own(), null), '');
  assert.equal(tellPath(null, own(), null), '');
});

test('two servers see one port, or each another one, or nothing', () => {
  const seen = (address, port, protocol = 'udp') => ({ type: 'srflx', protocol, address, port });
  const gathering = (found, more) => ({ found, complete: true, stunServers: 2, ...more });
  assert.deepEqual(readOwnNetwork(gathering([seen('203.0.113.1', 1)])), { udp: 'open', changesPort: false });
  assert.deepEqual(readOwnNetwork(gathering([seen('203.0.113.1', 1), seen('203.0.113.1', 2)])), { udp: 'open', changesPort: true });
  assert.deepEqual(readOwnNetwork(gathering([seen('203.0.113.1', 1), seen('2001:db8::1', 2)])), { udp: 'open', changesPort: false });
  assert.deepEqual(readOwnNetwork(gathering([seen('203.0.113.1', 1)], { stunServers: 1 })), { udp: 'open', changesPort: null });
  assert.deepEqual(readOwnNetwork(gathering([seen('203.0.113.1', 1)], { complete: false })), { udp: 'open', changesPort: null });
  assert.deepEqual(readOwnNetwork(gathering([])), { udp: 'blocked', changesPort: null });
  assert.deepEqual(readOwnNetwork(gathering([], { complete: false })), unknownNetwork);
  assert.deepEqual(readOwnNetwork(gathering([], { stunServers: 0 })), unknownNetwork);
});

test('an agent’s description of its network is read as far as it is understood', () => {
  const good = { udp: 'open', mapping: symmetric, candidates: [mapped('pcp')], portMapping: {}, later: 1 };
  assert.deepEqual(readAgentNetwork(good), { udp: 'open', mapping: symmetric, candidates: [mapped('pcp')] });
  for (const bad of [null, 'x', {}, { ...good, udp: 1 }, { ...good, candidates: [null] }, { ...good, candidates: {} }]) {
    assert.equal(readAgentNetwork(bad), null);
  }
});
