/**
 * A publisher as an owner's browser meets it: it keeps one access list, which
 * owners replace, takes claims and invites, and writes a log. It merges nothing.
 */
import { createHash, createHmac } from 'node:crypto';
import { parseList } from '../static/access-list.js';
import { SessionError } from '../static/session-error.js';
import { parseInvite, signGrant } from '../static/tokens.js';
import { someone } from './someone.js';

const hash = (text) => createHash('sha256').update(text).digest('base64url');
const token = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');

export class FakePublisher {
  online = true;
  /** PeerID of whoever paired it. */
  root = '';
  list = null;
  /** Lists that it remembers beside that one. */
  lists = [];
  /** What it says that others revoke, without a signature. */
  carried = [];
  /** Versions of the lists that it was offered. */
  offered = [];
  /** Whether it takes only what follows the list it has. */
  strict = false;
  conflict = false;
  pending = [];
  grants = [];
  invites = new Map();
  secret = '';
  log = [];
  /** Requests, as "METHOD /path". */
  asked = [];
  cameras = [{ id: 'front', name: 'Front door' }, { id: 'garden', name: 'Garden' }];
  /** Called before a PUT is looked at. */
  beforePut = async () => {};

  static async make(now = () => 1_800_000_000_000) {
    const publisher = new FakePublisher();
    publisher.identity = await someone();
    publisher.now = () => Math.floor(now() / 1000);
    return publisher;
  }

  get peer() {
    return this.identity.peerId;
  }

  isOwner(peer) {
    return (this.list ? this.list.list.owners.some(({ id }) => id === peer) : this.root === peer) || this.pending.some(({ id }) => id === peer);
  }

  write(kind) {
    const prev = this.log.length ? hash(this.log.at(-1)) : '';
    this.log.push(JSON.stringify({ seq: this.log.length + 1, time: '', kind, peer: '', name: '', what: '', from: '', prev }));
  }

  /** @returns the requests of a session with a viewer */
  http(viewer, transcript = '') {
    return {
      request: async (target, { method = 'GET', body } = {}) => {
        const { pathname, searchParams } = new URL(target, 'http://agent');
        this.asked.push(`${method} ${pathname}`);
        const answer = (status, json) => ({
          status, ok: status < 300, headers: new Map(), json: async () => structuredClone(json), text: async () => String(json),
        });
        const refuse = (status, code) => answer(status, { error: { code, message: `Refused: ${code}.` } });
        try {
          return await this.#serve(`${method} ${pathname}`, { viewer, transcript, searchParams, answer, refuse, body: body && JSON.parse(body) });
        } catch (error) {
          return refuse(400, error.message);
        }
      },
    };
  }

  async #serve(what, { viewer, transcript, searchParams, answer, refuse, body }) {
    const owner = this.isOwner(viewer);
    const guest = this.grants.find(({ peer }) => peer === viewer);
    switch (what) {
      case 'GET /v1/me':
        return answer(200, {
          peer: viewer, role: owner ? 'owner' : 'guest', name: 'Ada', device: 'Laptop', expires: '', home: this.list?.list.home ?? '',
          rights: {}, admin: owner, pass: owner || guest?.pass === true, clock: { believable: true, unixMs: 0 },
        });
      case 'GET /v1/cameras':
        return answer(200, { cameras: this.cameras });
      case 'POST /v1/claim':
        return this.#claim(body, viewer, transcript, answer, refuse);
      case 'POST /v1/qr':
        return answer(200, `<svg>${body.text}</svg>`);
      case 'POST /v1/invites': {
        const { jti } = await parseInvite(body.invite);
        this.invites.set(jti, body);
        return answer(201, {});
      }
    }
    if (!owner) return refuse(403, 'forbidden');
    switch (what) {
      case 'GET /v1/access':
        return answer(200, this.state);
      case 'PUT /v1/access': {
        await this.beforePut();
        const next = await parseList(body.list);
        if (!this.isOwner(next.signer)) return refuse(403, 'list-signer');
        this.offered.push(next.list.version);
        if (this.strict && next.list.previous !== this.list?.hash) return refuse(403, 'list-signer');
        if (this.list && next.hash !== this.list.hash && next.list.version <= this.list.list.version) return refuse(409, 'list-version');
        if (this.list) this.lists.push(this.list);
        this.list = next;
        this.pending = [];
        this.conflict = false;
        return answer(200, this.state);
      }
      case 'GET /v1/access/log': {
        const after = Number(searchParams.get('after'));
        const head = { seq: this.log.length, hash: this.log.length ? hash(this.log.at(-1)) : '' };
        return answer(200, { lines: this.log.slice(after, after + Number(searchParams.get('limit'))), head, floor: 1 });
      }
    }
    if (what.startsWith('DELETE /v1/invites/') && this.invites.delete(what.slice(19))) return answer(204, '');
    return refuse(404, 'not_found');
  }

  async #claim({ kind, invite, proof, name, device }, viewer, transcript, answer, refuse) {
    const waiting = this.invites.get(invite);
    const secret = kind === 'pair' ? this.secret : waiting?.secret;
    if (!secret) return refuse(410, 'used');
    const by = (side) =>
      createHmac('sha256', Buffer.from(secret, 'base64url')).update(`sightline-claim-v1\n${side}\n${kind}\n${transcript}\n${viewer}\n${this.peer}`).digest('base64url');
    if (proof !== by('viewer')) return refuse(403, 'wrong_proof');
    if (kind === 'pair') {
      this.root = viewer;
      this.secret = '';
      return answer(200, { proof: by('publisher'), role: 'owner', grant: '', home: '' });
    }
    this.invites.delete(invite);
    const parsed = await parseInvite(waiting.invite);
    if (parsed.owner) {
      this.pending.push({ id: viewer, name, device, invite: waiting.invite });
      return answer(200, { proof: by('publisher'), role: 'owner', grant: '', home: this.list?.list.home ?? '' });
    }
    const { aud, rights, cameras, pass, grantExp: exp } = parsed;
    const grant = await signGrant(this.identity, {
      sub: viewer, aud, jti: token(), iat: this.now(), exp, name: parsed.name, device, rights, cameras, pass, owner: false, prf: waiting.invite,
    });
    const { jti } = JSON.parse(Buffer.from(grant.split('.')[1], 'base64url'));
    this.grants.push({ jti, peer: viewer, name: parsed.name, device, rights, cameras, pass, expires: exp, revoked: false, lastSeen: '', grant });
    return answer(200, { proof: by('publisher'), role: 'guest', grant, home: this.list?.list.home ?? '' });
  }

  get state() {
    const { conflict, carried, pending, grants, log } = this;
    return {
      home: this.list?.list.home ?? '', version: this.list?.list.version ?? 0, list: this.list?.compact ?? '', lists: [...this.lists, ...(this.list ? [this.list] : [])].map(({ compact }) => compact),
      conflict, carried, removed: [], owners: this.list?.list.owners ?? [{ id: this.root, name: '', device: '' }], pending, grants,
      invites: [...this.invites.keys()].map((jti) => ({ jti, name: '', rights: ['live'], cameras: ['*'], owner: false, expires: 1 })),
      revokedHere: [], publisher: this.peer, log: { seq: log.length, hash: log.length ? hash(log.at(-1)) : '' },
    };
  }
}

/** Makes sessions to publishers, as Session.connect does, for the viewer that has an identity. */
export function connector(publishers) {
  const opened = [];
  const connect = async ({ peer, identity, standing, cameras }) => {
    const publisher = publishers.find((each) => each.peer === peer);
    opened.push({ peer, standing, cameras });
    if (!publisher?.online) throw new SessionError('unreachable', 'It is switched off.');
    if (!standing.claim && !publisher.isOwner(identity.peerId)) throw new SessionError('forbidden', 'No.');
    const ended = new AbortController();
    const transcript = token();
    return { http: publisher.http(identity.peerId, transcript), transcript, ended: ended.signal, close: () => ended.abort() };
  };
  return { connect, opened };
}
