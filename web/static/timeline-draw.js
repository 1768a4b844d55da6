/**
 * Paints a timeline: ticks and labels above, a band of what is recorded, and
 * marks of what happened below it.
 */
import { dayName } from './local-time.js';
import { clustersOf } from './timeline-hits.js';
import { daysOf, stepFor, ticksOf } from './timeline-ticks.js';
import { causeInWords, isPlanned } from './timeline-words.js';

/**
 * @typedef {import('./timeline-scale.js').Scale} Scale
 * @typedef {import('./timeline-data.js').Piece} Piece
 *
 * @typedef {object} Inks colours, resolved for the theme of the moment
 * @property {string} text
 * @property {string} quiet
 * @property {string} line
 * @property {string} back of the page around
 * @property {string} empty where nothing is recorded
 * @property {string} recorded
 * @property {string} selected
 * @property {string} failure
 * @property {string} failureText
 * @property {string} planned
 * @property {string} event
 * @property {string} live
 *
 * @typedef {object} Picture what is painted
 * @property {Scale} scale
 * @property {Piece} piece
 * @property {number} height
 * @property {number} nowMs
 * @property {boolean} live whether the playhead is at the present
 * @property {number | null} hoverX
 * @property {{ fromMs: number, toMs: number } | null} range marked
 * @property {number} firstMs where recordings begin
 * @property {number} growingMs from here on what is recorded now is not listed yet; nowMs if nothing is
 */

/** The height of the ruler with the labels, in pixels. */
export const rulerPx = 26;

/** The height of the lane of events below the band. */
const lanePx = 20;

const font = '11.5px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const bold = font.replace('11.5px', '600 11.5px');

/** Between the lines of a failure, in pixels. */
const hatchPx = 7;

/** Room that a label of the ruler needs, in pixels. */
const labelPx = 74;

/** Marks that have less room than this, one with another, are bars. */
const crowdedPx = 26;

/** Gaps say why if they have this much room beside their words. */
const wordsPx = 10;

/**
 * @param {number} height of the whole
 * @returns {{ top: number, bottom: number, lane: number }} of the band, and the middle of the lane of events
 */
export function layout(height) {
  return { top: rulerPx + 6, bottom: height - lanePx, lane: height - lanePx / 2 };
}

/**
 * @param {CanvasRenderingContext2D} c in CSS pixels
 * @param {Picture} picture
 * @param {Inks} inks
 */
export function paint(c, picture, inks) {
  const { scale, height } = picture;
  c.clearRect(0, 0, scale.width, height);
  c.font = font;
  c.textBaseline = 'middle';
  paintBand(c, picture, inks);
  paintTicks(c, picture, inks);
  paintLocks(c, picture, inks);
  paintEvents(c, picture, inks);
  paintRange(c, picture, inks);
  paintNow(c, picture, inks);
  paintHover(c, picture, inks);
}

/** @param {CanvasRenderingContext2D} c @param {Picture} picture @param {Inks} inks */
function paintBand(c, { scale, piece, height, nowMs, firstMs, growingMs }, inks) {
  const { top, bottom } = layout(height);
  c.save();
  c.beginPath();
  c.roundRect(0, top, scale.width, bottom - top, 7);
  c.clip();
  c.fillStyle = inks.empty;
  const end = Math.min(scale.width, scale.xOf(nowMs));
  if (end > 0) c.fillRect(0, top, end, bottom - top);
  // What is to come is there, and not yet.
  c.globalAlpha = 0.45;
  if (end < scale.width) c.fillRect(Math.max(0, end), top, scale.width, bottom - top);
  c.globalAlpha = 1;
  c.fillStyle = inks.recorded;
  for (const [from, to] of piece.ranges) {
    const x = scale.xOf(from);
    const width = scale.xOf(to) - x;
    // The shortest recording can be seen, and two that touch show no seam.
    if (x < scale.width && x + width > 0) c.fillRect(snap(x), top, Math.max(1, snap(x + width) - snap(x)), bottom - top);
  }
  const from = scale.xOf(growingMs);
  c.globalAlpha = 0.55;
  if (growingMs < nowMs && end > from) c.fillRect(snap(from), top, snap(end) - snap(from), bottom - top);
  c.globalAlpha = 1;
  for (const gap of piece.gaps) paintGap(c, { scale, top, bottom, gap, nowMs }, inks);
  if (piece.ranges.length === 0 && firstMs >= nowMs) {
    c.fillStyle = inks.quiet;
    c.textAlign = 'center';
    c.fillText('Nothing is recorded yet', scale.width / 2, (top + bottom) / 2);
  }
  c.restore();
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {{ scale: Scale, top: number, bottom: number, gap: import('./timeline-data.js').Gap, nowMs: number }} what
 * @param {Inks} inks
 */
function paintGap(c, { scale, top, bottom, gap, nowMs }, inks) {
  const from = Math.max(-20, scale.xOf(gap.fromMs));
  const to = Math.min(scale.width + 20, scale.xOf(Math.min(gap.toMs, nowMs)));
  if (to <= -1 || from >= scale.width) return;
  const planned = isPlanned(gap.cause);
  const width = Math.max(planned ? 1 : 2, to - from);
  c.save();
  c.beginPath();
  c.rect(from, top, width, bottom - top);
  c.clip();
  c.fillStyle = inks.empty;
  c.fillRect(from, top, width, bottom - top);
  c.strokeStyle = planned ? inks.planned : inks.failure;
  if (width < 5) {
    c.fillStyle = c.strokeStyle;
    c.fillRect(from, top, width, bottom - top);
  } else if (planned) {
    c.fillStyle = inks.planned;
    c.fillRect(from, (top + bottom) / 2 - 1, width, 2);
  } else {
    c.lineWidth = 1.5;
    c.beginPath();
    // From the same places whatever is in sight, so that nothing crawls.
    const origin = scale.xOf(gap.fromMs);
    const first = Math.floor((from - origin - (bottom - top)) / hatchPx);
    const last = Math.ceil((from + width - origin) / hatchPx);
    for (let i = first; i <= last; i++) {
      const x = origin + i * hatchPx;
      c.moveTo(x, bottom);
      c.lineTo(x + (bottom - top), top);
    }
    c.stroke();
    c.fillStyle = inks.failure;
    c.fillRect(from, bottom - 2, width, 2);
  }
  paintGapWords(c, { from: Math.max(0, from), to: Math.min(scale.width, from + width), middle: (top + bottom) / 2, gap, planned }, inks);
  c.restore();
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {{ from: number, to: number, middle: number, gap: import('./timeline-data.js').Gap, planned: boolean }} where
 * @param {Inks} inks
 */
function paintGapWords(c, { from, to, middle, gap, planned }, inks) {
  const words = causeInWords(gap);
  const width = c.measureText(words).width;
  if (width + wordsPx * 2 > to - from) return;
  const x = (from + to) / 2;
  c.fillStyle = inks.empty;
  c.beginPath();
  c.roundRect(x - width / 2 - 8, middle - 9, width + 16, 18, 9);
  c.fill();
  c.fillStyle = planned ? inks.quiet : inks.failureText;
  c.textAlign = 'center';
  c.fillText(words, x, middle + 0.5);
}

/** @param {CanvasRenderingContext2D} c @param {Picture} picture @param {Inks} inks */
function paintTicks(c, { scale, height }, inks) {
  const { top, bottom } = layout(height);
  const ticks = ticksOf(scale, { labelPx });
  for (const ms of daysOf(scale)) {
    if (scale.width / (scale.spanMs / 86_400_000) < 24) break;
    const x = snap(scale.xOf(ms));
    c.fillStyle = inks.back;
    c.fillRect(x - 1, top, 3, bottom - top);
    c.fillStyle = inks.line;
    c.fillRect(x, 4, 1, bottom - 4);
  }
  const names = paintDays(c, ticks, scale, inks);
  c.textAlign = 'center';
  for (const { ms, kind, label } of ticks) {
    const x = snap(scale.xOf(ms));
    const long = kind === 'minor' ? 3 : 6;
    c.fillStyle = inks.line;
    c.fillRect(x, top - 2 - long, 1, long);
    if (label === '' || kind === 'day') continue;
    const half = c.measureText(label).width / 2 + 4;
    const cut = x + half > scale.width + 4;
    if (cut || names.some(([from, to]) => x + half > from && x - half < to)) continue;
    c.fillStyle = inks.quiet;
    c.fillText(label, x, rulerPx / 2);
  }
}

/**
 * Names of days: each beside its border, and that of the first at the left edge,
 * until the next one pushes it away.
 *
 * @param {CanvasRenderingContext2D} c
 * @param {import('./timeline-ticks.js').Tick[]} ticks
 * @param {Scale} scale
 * @param {Inks} inks
 * @returns {[number, number][]} where names are, in pixels
 */
function paintDays(c, ticks, scale, inks) {
  // Where every label is a day, none of them needs to be named again.
  if (stepFor(scale.msPerPx, labelPx).major > 86_400_000) return [];
  const days = ticks.filter(({ kind }) => kind === 'day').map(({ ms, label }) => ({ x: scale.xOf(ms), label }));
  const before = days.findLast(({ x }) => x <= 0);
  const after = days.filter(({ x }) => x > 0);
  c.font = bold;
  c.textAlign = 'left';
  c.fillStyle = inks.text;
  const sticky = before?.label ?? dayName(scale.fromMs);
  const push = Math.min(0, (after[0]?.x ?? Infinity) - c.measureText(sticky).width - 16);
  /** @type {[number, number][]} */
  const names = [];
  for (const { x, label } of [{ x: push, label: sticky }, ...after]) {
    c.fillText(label, x + 7, rulerPx / 2);
    names.push([x, x + 7 + c.measureText(label).width + 6]);
  }
  c.font = font;
  return names;
}

/** @param {CanvasRenderingContext2D} c @param {Picture} picture @param {Inks} inks */
function paintLocks(c, { scale, piece, height }, inks) {
  const { top, bottom } = layout(height);
  for (const { fromMs, toMs } of piece.locks) {
    const x = scale.xOf(fromMs);
    const width = Math.max(3, scale.xOf(toMs) - x);
    if (x > scale.width || x + width < 0) continue;
    c.strokeStyle = inks.text;
    c.lineWidth = 1.5;
    c.beginPath();
    c.roundRect(x, top + 1, width, bottom - top - 2, Math.min(5, width / 2));
    c.stroke();
    if (width > 22) paintPadlock(c, Math.max(4, x + 6), top + 6, inks.text);
  }
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {string} ink */
function paintPadlock(c, x, y, ink) {
  c.fillStyle = ink;
  c.strokeStyle = ink;
  c.lineWidth = 1.4;
  c.fillRect(x, y + 4, 8, 6);
  c.beginPath();
  c.arc(x + 4, y + 3.5, 2.6, Math.PI, 0);
  c.lineTo(x + 6.6, y + 4.5);
  c.moveTo(x + 1.4, y + 3.5);
  c.lineTo(x + 1.4, y + 4.5);
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {Picture} picture @param {Inks} inks */
function paintEvents(c, { scale, piece, height }, inks) {
  const { bottom, lane } = layout(height);
  const clusters = clustersOf(piece.events, scale);
  c.fillStyle = inks.event;
  // A row without end says how much happened, and no more.
  if (clusters.length * crowdedPx > scale.width) {
    for (const { x, events } of clusters) {
      const high = Math.min(11, 3 + 2 * Math.log2(events.length));
      c.beginPath();
      c.roundRect(snap(x) - 2, bottom + 15 - high, 5, high, 2);
      c.fill();
    }
    return;
  }
  for (const { x, toX, events } of clusters) {
    c.fillStyle = inks.event;
    if (toX - x > 7) {
      c.globalAlpha = 0.45;
      c.beginPath();
      c.roundRect(x, lane - 1.5, toX - x, 3, 1.5);
      c.fill();
      c.globalAlpha = 1;
    }
    c.fillRect(snap(x) - 0.5, bottom - 4, 2, lane - bottom + 4);
    c.beginPath();
    c.arc(snap(x) + 0.5, lane, events.length > 1 ? 5 : 4, 0, 2 * Math.PI);
    c.fill();
    if (events.length > 1) {
      c.fillStyle = inks.back;
      c.beginPath();
      c.arc(snap(x) + 0.5, lane, 2, 0, 2 * Math.PI);
      c.fill();
    }
  }
}

/** @param {CanvasRenderingContext2D} c @param {Picture} picture @param {Inks} inks */
function paintRange(c, { scale, height, range }, inks) {
  if (!range) return;
  const { top, bottom } = layout(height);
  const from = scale.xOf(range.fromMs);
  const to = scale.xOf(range.toMs);
  c.fillStyle = inks.selected;
  c.globalAlpha = 0.3;
  c.fillRect(from, top, to - from, bottom - top);
  c.globalAlpha = 1;
  c.fillRect(from, top - 2, to - from, 2);
  c.fillRect(from, bottom, to - from, 2);
}

/** @param {CanvasRenderingContext2D} c @param {Picture} picture @param {Inks} inks */
function paintNow(c, { scale, height, nowMs, live }, inks) {
  if (live) return;
  const { top, bottom } = layout(height);
  const x = snap(scale.xOf(nowMs));
  if (x < -4 || x > scale.width + 4) return;
  c.fillStyle = inks.live;
  c.fillRect(x - 0.5, top - 3, 2, bottom - top + 6);
  c.beginPath();
  c.arc(x + 0.5, top - 5, 3, 0, 2 * Math.PI);
  c.fill();
}

/** @param {CanvasRenderingContext2D} c @param {Picture} picture @param {Inks} inks */
function paintHover(c, { hoverX, height }, inks) {
  if (hoverX === null) return;
  c.fillStyle = inks.quiet;
  c.fillRect(snap(hoverX), rulerPx - 2, 1, height - rulerPx - 8);
}

/** @param {number} x @returns {number} where lines of a pixel are sharp */
function snap(x) {
  return Math.round(x);
}
