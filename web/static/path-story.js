/**
 * Says in one sentence why a session is direct or relayed, from what this
 * browser and the agent know of their networks. The words for what a NAT does
 * are those of RFC 4787 §4.1: with an endpoint-independent mapping a port inside
 * is one and the same port for every destination outside.
 *
 * @typedef {'open' | 'blocked' | 'unknown'} Udp
 * @typedef {'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent' | 'unknown'} Mapping
 *
 * @typedef {object} AgentNetwork as GET /v1/network describes it
 * @property {Udp} udp
 * @property {Mapping} mapping
 * @property {{ kind: string, address: string, protocol: string, by: string }[]} candidates
 *
 * @typedef {object} OwnNetwork
 * @property {Udp} udp
 * @property {boolean | null} changesPort whether the port differs from one destination to another; null if unknown
 */
import { listOf, text } from './shape.js';

/** @type {OwnNetwork} */
export const unknownNetwork = { udp: 'unknown', changesPort: null };

/** @param {any} value @returns {AgentNetwork | null} null if it is none; what a later version adds is left out */
export function readAgentNetwork(value) {
  const word = text(64);
  const candidate = (/** @type {any} */ each) => [each?.kind, each?.address, each?.protocol, each?.by].every(word);
  if (!word(value?.udp) || !word(value?.mapping) || !listOf(0, 64, candidate)(value?.candidates)) return null;
  const { udp, mapping, candidates } = value;
  return { udp, mapping, candidates };
}

/**
 * What the candidates of a finished gathering say about this browser's network.
 *
 * @param {Pick<import('./gathering.js').Gathering, 'found' | 'complete' | 'stunServers'>} gathering
 * @returns {OwnNetwork}
 */
export function readOwnNetwork({ found, complete, stunServers }) {
  const seen = found.filter(({ type, protocol }) => type === 'srflx' && protocol === 'udp');
  if (stunServers === 0 || (!complete && seen.length === 0)) return unknownNetwork;
  if (seen.length === 0) return { udp: 'blocked', changesPort: null };
  // Each server has seen one address of the socket; those that saw the same one are one candidate.
  const sameAddress = (/** @type {RTCIceCandidate} */ a) => seen.some((b) => a.address === b.address && a.port !== b.port);
  if (seen.some(sameAddress)) return { udp: 'open', changesPort: true };
  return { udp: 'open', changesPort: complete && stunServers > 1 ? false : null };
}

/**
 * @param {import('./stats.js').ConnectionStats | null} connection
 * @param {OwnNetwork} own
 * @param {AgentNetwork | null} agent
 * @returns {string} empty while there is nothing to say
 */
export function tellPath(connection, own, agent) {
  if (connection?.path === 'relayed') return `Relayed: ${whyRelayed(own, agent)}.`;
  if (connection?.path === 'direct' && connection.remote) return `Direct: ${whyDirect(connection.remote, agent)}.`;
  return '';
}

/** @param {OwnNetwork} own @param {AgentNetwork | null} agent @returns {string} */
function whyRelayed(own, agent) {
  const changes = agentChangesPort(agent);
  if (own.udp === 'blocked' && agent?.udp === 'blocked') return 'neither network lets UDP through';
  if (own.udp === 'blocked') return 'this network lets no UDP through';
  if (agent?.udp === 'blocked') return 'the agent’s network lets no UDP through';
  if (own.changesPort && changes) return 'both networks change the port for every destination';
  if (own.changesPort) {
    return 'this network changes the port for every destination, and the agent’s lets in only those it knows';
  }
  if (changes) return 'the agent’s network changes the port for every destination, and this one lets in only those it knows';
  return 'no direct way was found between the two networks';
}

/** How a direct way was opened. @type {Record<string, string>} */
const openers = {
  upnp: 'the agent’s router has opened a port (UPnP)',
  'nat-pmp': 'the agent’s router has opened a port (NAT-PMP)',
  pcp: 'the agent’s router has opened a port (PCP)',
  configured: 'the agent’s router forwards a port',
};

/** @param {import('./stats.js').Endpoint} remote @param {AgentNetwork | null} agent @returns {string} */
function whyDirect({ kind, address, port, protocol }, agent) {
  if (protocol === 'tcp') return 'over TCP, as no UDP gets through';
  if (isLocal(address)) return 'this browser and the agent are in the same network';
  const host = address.includes(':') ? `[${address}]` : address;
  const mapped = agent?.candidates.find((each) => each.kind === 'mapped' && each.address === `${host}:${port}`);
  if (mapped) return openers[mapped.by] ?? 'the agent’s router has opened a port';
  if (kind === 'host') return address.includes(':') ? 'both have IPv6' : 'the agent has a public address';
  return 'the two have found a way through their routers';
}

/** @param {AgentNetwork | null} agent */
function agentChangesPort(agent) {
  return agent !== null && ['address-dependent', 'address-and-port-dependent'].includes(agent.mapping);
}

/** @param {string} address @returns {boolean} whether it is of the own network: RFC 1918, RFC 3927, RFC 4193, loopback, mDNS */
function isLocal(address) {
  return (
    /^(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\./.test(address) ||
    /^(?:f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1$)/i.test(address) ||
    address.endsWith('.local')
  );
}
