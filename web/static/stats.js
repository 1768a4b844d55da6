/**
 * Makes the numbers that people ask for out of WebRTC's statistics.
 *
 * @typedef {object} Endpoint
 * @property {string} kind host, srflx, prflx or relay
 * @property {string} address
 * @property {number} port
 * @property {string} protocol udp or tcp
 *
 * @typedef {object} ConnectionStats
 * @property {'direct' | 'relayed' | 'unknown'} path
 * @property {Endpoint | null} local
 * @property {Endpoint | null} remote
 * @property {number | null} roundTripMs
 * @property {string} cipher SRTP protection profile
 * @property {number} activity a number that rises whenever anything arrives
 *
 * @typedef {object} MediaStats
 * @property {'video' | 'audio'} kind
 * @property {string} codec
 * @property {number | null} bitsPerSecond
 * @property {number | null} lossPercent of the last interval, before retransmission
 * @property {number} packetsLost
 * @property {number} retransmitted packets
 * @property {number} framesDecoded
 * @property {number} framesDropped
 * @property {number | null} fps decoded
 * @property {number} width
 * @property {number} height
 * @property {number | null} jitterBufferMs mean of the last interval
 * @property {number} freezes
 *
 * @typedef {object} Sample
 * @property {number} at milliseconds
 * @property {ConnectionStats} connection
 * @property {Map<string, MediaStats>} media by mid
 * @property {Map<string, any>} raw inbound-rtp of each mid, for the next sample's differences
 */

/**
 * @param {Iterable<any>} report the values of an RTCStatsReport
 * @param {number} at milliseconds, from any fixed point
 * @param {Sample | null} before the sample to take differences to
 * @returns {Sample}
 */
export function summarize(report, at, before) {
  /** @type {Map<string, any>} */
  const byId = new Map();
  for (const entry of report) byId.set(entry.id, entry);
  const media = new Map();
  const raw = new Map();
  for (const entry of byId.values()) {
    if (entry.type !== 'inbound-rtp' || entry.mid === undefined) continue;
    raw.set(entry.mid, entry);
    const last = before?.raw.get(entry.mid);
    const same = last?.ssrc === entry.ssrc ? last : undefined;
    media.set(entry.mid, mediaStats(entry, same, before ? at - before.at : 0, byId));
  }
  return { at, connection: connectionStats(byId), media, raw };
}

/** @param {Map<string, any>} byId @returns {ConnectionStats} */
function connectionStats(byId) {
  const entries = [...byId.values()];
  const transport = entries.find((entry) => entry.type === 'transport');
  const pair =
    byId.get(transport?.selectedCandidatePairId) ??
    entries.find((entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded');
  const local = endpoint(byId.get(pair?.localCandidateId));
  const remote = endpoint(byId.get(pair?.remoteCandidateId));
  const relayed = local?.kind === 'relay' || remote?.kind === 'relay';
  return {
    path: local && remote ? (relayed ? 'relayed' : 'direct') : 'unknown',
    local,
    remote,
    roundTripMs: pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
    cipher: transport?.srtpCipher ?? '',
    activity: sum(pair, ['bytesReceived', 'responsesReceived', 'requestsReceived']),
  };
}

/** @param {any} candidate @returns {Endpoint | null} */
function endpoint(candidate) {
  if (!candidate) return null;
  return {
    kind: candidate.candidateType ?? '',
    address: candidate.address ?? candidate.ip ?? '',
    port: candidate.port ?? 0,
    protocol: candidate.protocol ?? '',
  };
}

/**
 * @param {any} entry
 * @param {any} last the same entry of the sample before
 * @param {number} elapsedMs
 * @param {Map<string, any>} byId
 * @returns {MediaStats}
 */
function mediaStats(entry, last, elapsedMs, byId) {
  /** @param {string} field */
  const rise = (field) => Math.max(0, (entry[field] ?? 0) - (last?.[field] ?? 0));
  const seconds = last && elapsedMs > 0 ? elapsedMs / 1000 : 0;
  const received = rise('packetsReceived');
  const lost = rise('packetsLost');
  const emitted = rise('jitterBufferEmittedCount');
  return {
    kind: entry.kind,
    codec: (byId.get(entry.codecId)?.mimeType ?? '').replace(/^.*\//, ''),
    bitsPerSecond: seconds ? (rise('bytesReceived') * 8) / seconds : null,
    lossPercent: seconds && received + lost > 0 ? (lost / (received + lost)) * 100 : null,
    packetsLost: entry.packetsLost ?? 0,
    retransmitted: entry.retransmittedPacketsReceived ?? 0,
    framesDecoded: entry.framesDecoded ?? 0,
    framesDropped: entry.framesDropped ?? 0,
    fps: seconds ? rise('framesDecoded') / seconds : null,
    width: entry.frameWidth ?? 0,
    height: entry.frameHeight ?? 0,
    jitterBufferMs: seconds && emitted > 0 ? (rise('jitterBufferDelay') / emitted) * 1000 : null,
    freezes: entry.freezeCount ?? 0,
  };
}

/** @param {any} entry @param {string[]} fields @returns {number} */
function sum(entry, fields) {
  return fields.reduce((total, field) => total + (entry?.[field] ?? 0), 0);
}
