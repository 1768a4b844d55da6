/**
 * What is where on a timeline: events that stand so close that they are one
 * mark, and what is under a finger.
 */

/**
 * @typedef {import('./timeline-data.js').Piece} Piece
 * @typedef {import('./timeline-data.js').Mark} Mark
 * @typedef {import('./timeline-data.js').Gap} Gap
 * @typedef {import('./timeline-data.js').Lock} Lock
 * @typedef {import('./timeline-scale.js').Scale} Scale
 *
 * @typedef {object} Cluster
 * @property {number} x of its first event, in pixels
 * @property {number} toX where the last one ends
 * @property {Mark[]} events
 *
 * @typedef {object} Hit
 * @property {'playhead' | 'events' | 'gap' | 'recorded' | 'nothing'} kind
 * @property {number} ms the time there; of events, that of the first
 * @property {Mark[]} events
 * @property {Gap | null} gap
 * @property {Lock | null} lock that keeps what is there
 * @property {import('./timeline-data.js').Pause | null} pause that somebody asked for
 */

/** What was recorded this short a time ago may not be listed yet, in milliseconds. */
const growingMs = 12_000;

/** Marks that are closer than this are drawn as one, in pixels. */
const clusterPx = 9;

/**
 * @param {Mark[]} events in order
 * @param {Scale} scale
 * @returns {Cluster[]} those in sight
 */
export function clustersOf(events, scale) {
  /** @type {Cluster[]} */
  const clusters = [];
  for (const event of events) {
    const x = scale.xOf(event.fromMs);
    const toX = scale.xOf(Math.max(event.fromMs, event.toMs));
    const last = clusters[clusters.length - 1];
    if (last && x - last.x < clusterPx) {
      last.events.push(event);
      last.toX = Math.max(last.toX, toX);
    } else clusters.push({ x, toX, events: [event] });
  }
  return clusters.filter(({ x, toX }) => toX >= -clusterPx && x <= scale.width + clusterPx);
}

/**
 * @param {object} at
 * @param {number} at.x
 * @param {number} at.slop how far a thing may be away and is still meant, in pixels: more for fingers
 * @param {number | null} at.playheadMs null where there is none
 * @param {Scale} scale
 * @param {Piece} piece what is known there
 * @returns {Hit}
 */
export function hit({ x, slop, playheadMs }, scale, piece) {
  const ms = scale.timeAt(x);
  const lock = piece.locks.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs) ?? null;
  const pause = piece.pauses.find(({ fromMs, toMs }) => fromMs <= ms && (toMs === 0 || ms < toMs)) ?? null;
  const nothing = { ms, events: [], gap: null, lock, pause };
  if (playheadMs !== null && Math.abs(scale.xOf(playheadMs) - x) <= slop) return { ...nothing, kind: 'playhead' };
  const near = nearest(clustersOf(piece.events, scale), x);
  if (near && near.distance <= slop) {
    return { ...nothing, kind: 'events', ms: near.cluster.events[0].fromMs, events: near.cluster.events };
  }
  const gap = gapAt(piece, ms, scale.msPerPx);
  if (gap) return { ...nothing, kind: 'gap', gap };
  return { ...nothing, kind: isRecorded(piece, ms) ? 'recorded' : 'nothing' };
}

/**
 * @param {Piece} piece
 * @param {number} ms
 * @param {number} [slackMs] a gap that is thinner than this is found from beside it
 * @returns {Gap | null}
 */
export function gapAt(piece, ms, slackMs = 0) {
  return (
    piece.gaps.find(({ fromMs, toMs }) => {
      const slack = Math.max(0, (slackMs - (toMs - fromMs)) / 2);
      return fromMs - slack <= ms && ms < toMs + slack;
    }) ?? null
  );
}

/** @param {Piece} piece @param {number} ms @returns {boolean} */
export function isRecorded(piece, ms) {
  return piece.ranges.some(([from, to]) => from <= ms && ms < to);
}

/**
 * From where on something is recorded that is not listed yet: it is on its way
 * to the disk.
 *
 * @param {Piece} piece
 * @param {number} nowMs
 * @returns {number} nowMs if the last recording is not of just now
 */
export function growingFrom({ ranges }, nowMs) {
  const last = ranges[ranges.length - 1]?.[1] ?? -Infinity;
  return nowMs - last < growingMs ? Math.min(last, nowMs) : nowMs;
}

/** @param {Cluster[]} clusters @param {number} x */
function nearest(clusters, x) {
  let best = null;
  for (const cluster of clusters) {
    // A long event is a bar below its mark: only the mark stands out.
    const distance = Math.abs(cluster.x - x);
    if (!best || distance < best.distance) best = { cluster, distance };
  }
  return best;
}
