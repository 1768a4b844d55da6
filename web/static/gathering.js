/**
 * The candidates of a peer connection: which servers this browser asks, what was
 * found so far, and what is still to be told to the publisher, whose own can be
 * checked again.
 */
import { toConfiguration, unexpired } from './ice.js';

/** An offer waits this long for the first address that a STUN server sees, in milliseconds. */
const patienceMs = 150;

export class Gathering {
  // Constant after construction.
  #connection;
  #tell;

  /** @type {import('./ice.js').IceServer[]} */ #servers = [];
  #configured = '[]';
  /** @type {RTCIceCandidate[]} of this generation */ #found = [];
  /** @type {RTCIceCandidate[]} not told yet */ #untold = [];
  #telling = false;
  /** How often the publisher's addresses were checked again. */ #checks = 0;
  /** @type {() => void} */ #wake = () => {};

  /**
   * @param {RTCPeerConnection} connection
   * @param {(candidate: RTCIceCandidate) => void} tell tells the publisher of one
   */
  constructor(connection, tell) {
    this.#connection = connection;
    this.#tell = tell;
    connection.addEventListener('icecandidate', ({ candidate }) => this.#add(candidate));
    connection.addEventListener('icegatheringstatechange', () => this.#wake());
  }

  /** What was found since gathering began the last time. @returns {readonly RTCIceCandidate[]} */
  get found() {
    return this.#found;
  }

  get complete() {
    return this.#connection.iceGatheringState === 'complete';
  }

  /** How many STUN servers are asked. */
  get stunServers() {
    return toConfiguration(this.#servers).flatMap(({ urls }) => urls).filter((url) => url.startsWith('stun:')).length;
  }

  /**
   * Adds servers that may help. They are asked when gathering begins, or begins
   * again.
   *
   * @param {import('./ice.js').IceServer[]} servers
   * @returns {boolean} whether any of them is new
   */
  use(servers) {
    if (servers.length === 0) return false;
    // The newest first: of a relay only the last credentials are of use.
    const before = this.#servers.filter((old) => !servers.some(({ urls }) => urls.some((url) => old.urls.includes(url))));
    const all = unexpired([...servers, ...before], Date.now());
    const iceServers = toConfiguration(all);
    const configured = JSON.stringify(iceServers);
    const urls = (/** @type {string} */ text) => JSON.parse(text).flatMap((/** @type {RTCIceServer} */ each) => each.urls);
    const known = urls(this.#configured);
    const fresh = urls(configured).some((/** @type {string} */ url) => !known.includes(url));
    if (configured !== this.#configured) {
      this.#connection.setConfiguration({ ...this.#connection.getConfiguration(), iceServers });
      this.#configured = configured;
    }
    this.#servers = all;
    return fresh;
  }

  /** Gathering is about to begin, again if it had begun. */
  begin() {
    this.#found = [];
    this.#untold = [];
  }

  /** What is found from now on is told at once, what was found and not described yet first. */
  tellAll() {
    this.#telling = true;
    for (const candidate of this.#untold.splice(0)) this.#tell(candidate);
  }

  /** The local description with all that was found so far. @returns {string} */
  describe() {
    this.#untold = [];
    return this.#connection.localDescription?.sdp ?? '';
  }

  /**
   * Waits a moment for the first address that others see, if a server is there
   * to be asked.
   *
   * @returns {Promise<void>}
   */
  first() {
    const enough = () =>
      this.complete || this.#connection.signalingState === 'closed' || this.#found.some(({ type }) => type === 'srflx' || type === 'relay');
    if (this.#configured === '[]' || enough()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(end, patienceMs);
      this.#wake = () => {
        if (enough()) end();
      };
    });
  }

  /**
   * Has the publisher's addresses checked again, those included that were given
   * up: without a break, unlike a restart. A browser checks a pair for a few
   * seconds only, and takes notice of a candidate only if it is not quite one that
   * it had.
   *
   * @returns {Promise<void>}
   */
  async checkAgain() {
    this.#checks += 1;
    const description = this.#connection.remoteDescription?.sdp ?? '';
    for (const candidate of candidatesAgain(description, this.#checks)) {
      await this.#connection.addIceCandidate({ candidate, sdpMid: '0' });
    }
  }

  /** @param {RTCIceCandidate | null} candidate */
  #add(candidate) {
    if (candidate === null || candidate.candidate === '') return;
    this.#found.push(candidate);
    if (this.#telling) this.#tell(candidate);
    else this.#untold.push(candidate);
    this.#wake();
  }
}

/** How many candidates of the publisher are checked again. */
const mostAgain = 16;

/**
 * The publisher's candidates for a direct path over UDP, as candidates that a
 * browser does not know yet: of another foundation and a lower priority.
 *
 * @param {string} sdp the publisher's description
 * @param {number} round from 1, another one each time
 * @returns {string[]}
 */
export function candidatesAgain(sdp, round) {
  const found = sdp.matchAll(/^a=candidate:(\S+) 1 udp (\d+) (\S+) (\d+) typ (host|srflx)/gim);
  /** @type {Map<string, string>} */
  const again = new Map();
  for (const [, foundation, priority, address, port, kind] of found) {
    if (foundation.startsWith('again')) continue;
    const lower = Math.max(1, Number(priority) - 256 * round);
    again.set(`${address} ${port}`, `candidate:again${round}x${again.size} 1 udp ${lower} ${address} ${port} typ ${kind}`);
  }
  return [...again.values()].slice(0, mostAgain).map((line) => (line.endsWith('srflx') ? `${line} raddr 0.0.0.0 rport 9` : line));
}
