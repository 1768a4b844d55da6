import { test } from 'node:test';
import assert from 'node:assert/strict';
import { sha256, fromBase64Url } from '../static/encoding.js';
import { sign } from '../static/jws.js';
import { cleanName, name } from '../static/shape.js';
import { maxInviteSeconds, newInviteSecret, parseGrant, parseInvite, signGrant, signInvite, TokenError } from '../static/tokens.js';
import { someone } from './someone.js';

const now = 1_800_000_000;
const token = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');

async function setUp() {
  const [owner, agent, guest] = await Promise.all([someone(), someone(), someone()]);
  const home = token();
  const { jti, commit } = await newInviteSecret();
  const invite = {
    aud: home, jti, iat: now, exp: now + 3600, redeemer: agent.peerId, commit, name: 'Anna', rights: ['live', 'ptz'],
    cameras: [`${agent.peerId}/front`, '*'], pass: true, grantExp: 0, owner: false, prf: '',
  };
  const grant = {
    sub: guest.peerId, aud: home, jti: token(), iat: now, exp: 0, name: 'Anna', device: 'Phone', rights: ['live'],
    cameras: [`${agent.peerId}/*`], pass: true, owner: false, prf: '',
  };
  return { owner, agent, guest, home, invite, grant };
}

test('what is signed here is read here, with everything it comes from', async () => {
  const { owner, agent, guest, invite, grant } = await setUp();
  const first = await signInvite(owner, invite);
  const second = await signGrant(agent, { ...grant, prf: first });
  const third = await signInvite(guest, { ...invite, prf: second });
  const fourth = await signGrant(agent, { ...grant, prf: third });
  const { chain, ...read } = await parseGrant(fourth);
  assert.deepEqual(read, { ...grant, iss: agent.peerId, cnf: { kid: guest.peerId }, prf: third });
  assert.deepEqual(chain.map((each) => (each.grant ? 'grant' : 'invite')), ['grant', 'invite', 'grant', 'invite']);
  const { chain: one, ...alone } = await parseInvite(first);
  assert.deepEqual([alone, one.length], [{ ...invite, iss: owner.peerId }, 1]);
  assert.deepEqual((await parseInvite(third)).chain.length, 3);
});

test('a chain that is too long or wrongly made is refused', async () => {
  const { owner, agent, invite, grant } = await setUp();
  const first = await signInvite(owner, invite);
  let grants = '';
  for (let i = 0; i < 3; i++) grants = await signGrant(agent, { ...grant, prf: grants });
  await parseGrant(grants);
  await assert.rejects(parseGrant(await signGrant(agent, { ...grant, prf: grants })), TokenError);
  await assert.rejects(parseInvite(await signInvite(owner, { ...invite, prf: first })), TokenError);
  await assert.rejects(parseGrant(await signGrant(agent, { ...grant, prf: `${first.slice(0, -4)}AAAA` })), TokenError);
  await assert.rejects(parseGrant(first), TokenError);
  await assert.rejects(parseInvite(grants), TokenError);
});

test('a grant or invite that says anything but what it may is refused', async () => {
  const { owner, agent, guest, invite, grant } = await setUp();
  const full = { ...grant, iss: agent.peerId, cnf: { kid: guest.peerId } };
  const says = (by, value, type) => sign(by, typeof value === 'string' ? value : JSON.stringify(value), type);
  const asGrant = (changes) => says(agent, { ...full, ...changes }, 'sightline-grant+jwt');
  const asInvite = (changes) => says(owner, { ...invite, iss: owner.peerId, ...changes }, 'sightline-invite+jwt');
  await parseGrant(await asGrant({}));
  await parseInvite(await asInvite({}));
  const grants = {
    'signed by somebody else': says(owner, full, 'sightline-grant+jwt'),
    'of another type': says(agent, full, 'sightline-invite+jwt'),
    'a message': says(agent, full),
    'for another key': asGrant({ cnf: { kid: owner.peerId } }),
    'with more in its confirmation': asGrant({ cnf: { kid: guest.peerId, x: 1 } }),
    'that makes an owner': asGrant({ owner: true }),
    'without a name': asGrant({ name: undefined }),
    'with null': asGrant({ device: null }),
    'with more': asGrant({ more: 1 }),
    'with no right': asGrant({ rights: [] }),
    'with an unknown right': asGrant({ rights: ['live', 'root'] }),
    'with a right twice': asGrant({ rights: ['live', 'live'] }),
    'with no camera': asGrant({ cameras: [] }),
    'with a camera of nowhere': asGrant({ cameras: ['front'] }),
    'with a camera that is a path': asGrant({ cameras: [`${agent.peerId}/../x`] }),
    'with a camera twice': asGrant({ cameras: ['*', '*'] }),
    'with too many cameras': asGrant({ cameras: Array.from({ length: 65 }, (_, i) => `${agent.peerId}/c${i}`) }),
    'that ends before all time': asGrant({ exp: -1 }),
    'that ends in between': asGrant({ exp: 1.5 }),
    'for a place that is none': asGrant({ aud: 'home' }),
    'with a number that is too short': asGrant({ jti: 'AAAA' }),
    'with a name that turns around': asGrant({ name: 'a\u202eb' }),
    'with a name of two lines': asGrant({ name: 'a\nb' }),
    'with a name too long': asGrant({ name: 'x'.repeat(65) }),
    'that says a thing twice': says(agent, JSON.stringify(full).replace('{', '{"pass":false,'), 'sightline-grant+jwt'),
    'that is no object': says(agent, '[]', 'sightline-grant+jwt'),
    'that is null': says(agent, 'null', 'sightline-grant+jwt'),
    'that is too long': Promise.resolve('x'.repeat(6145)),
    'that is no text': Promise.resolve(7),
    'that is nothing': Promise.resolve(''),
  };
  for (const [what, compact] of Object.entries(grants)) await assert.rejects(parseGrant(await compact), TokenError, what);
  const invites = {
    'for too long': asInvite({ exp: now + maxInviteSeconds + 1 }),
    'for no time': asInvite({ exp: now }),
    'without a commitment': asInvite({ commit: '' }),
    'of another type': says(owner, { ...invite, iss: owner.peerId }, 'sightline-grant+jwt'),
    'signed by somebody else': says(agent, { ...invite, iss: owner.peerId }, 'sightline-invite+jwt'),
  };
  await assert.rejects(parseInvite(''), TokenError);
  for (const [what, compact] of Object.entries(invites)) await assert.rejects(parseInvite(await compact), TokenError, what);
});

test('nothing is signed that nobody would take', async () => {
  const { owner, agent, invite, grant } = await setUp();
  await assert.rejects(signGrant(agent, { ...grant, rights: [] }), TokenError);
  await assert.rejects(signInvite(owner, { ...invite, name: 'a\u0000' }), TokenError);
  const cameras = Array.from({ length: 64 }, (_, i) => `${agent.peerId}/camera-${i}`);
  await assert.rejects(signInvite(owner, { ...invite, cameras }), /too long/);
});

test('the commitment of an invite is the hash of its secret’s bytes', async () => {
  const { secret, commit } = await newInviteSecret();
  assert.equal(await sha256(fromBase64Url(secret)), commit);
});

test('names that people type become names that pass', () => {
  for (const [typed, clean] of [[' Anna ', 'Anna'], ['a\nb\u0007c', 'a b c'], ['x'.repeat(70), 'x'.repeat(64)], ['a\u202eb', 'a b'],
    ['😀'.repeat(70), '😀'.repeat(64)], ['e\u0301', 'é'], ['', '']]) {
    assert.equal(cleanName(typed), clean);
    assert.equal(name(clean), true);
  }
});
