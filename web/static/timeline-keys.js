/**
 * What keys do on a timeline.
 */
import { stepFor } from './timeline-ticks.js';

/**
 * @typedef {{ do: 'by', ms: number } | { do: 'zoom', factor: number } | { do: 'first' | 'live' | 'take' | 'leave' }} KeyAction
 *   by: looks at a moment so much later; zoom: a factor above 1 shows more; first: the first recording; take: goes to
 *   the moment that is looked at; leave: does not
 */

/** About what arrows move by, and with Shift or by pages, in pixels. */
const smallPx = 8;
const largePx = 80;

/**
 * @param {Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>} event
 * @param {number} msPerPx
 * @returns {KeyAction | null} null if the key means nothing here
 */
export function keyAction({ key, shiftKey, ctrlKey, metaKey, altKey }, msPerPx) {
  if (ctrlKey || metaKey || altKey) return null;
  const large = stepFor(msPerPx, largePx).major;
  const step = shiftKey ? large : stepFor(msPerPx, smallPx).major;
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return { do: 'by', ms: -step };
    case 'ArrowRight':
    case 'ArrowUp':
      return { do: 'by', ms: step };
    case 'PageDown':
      return { do: 'by', ms: -large };
    case 'PageUp':
      return { do: 'by', ms: large };
    case 'Home':
      return { do: 'first' };
    case 'End':
      return { do: 'live' };
    case '+':
    case '=':
      return { do: 'zoom', factor: 0.5 };
    case '-':
      return { do: 'zoom', factor: 2 };
    case 'Enter':
      return { do: 'take' };
    case 'Escape':
      return { do: 'leave' };
    default:
      return null;
  }
}
