/**
 * Brings the pointers of an element to what knows their gestures.
 */

/**
 * @param {HTMLElement} element
 * @param {object} options
 * @param {import('./timeline-gestures.js').Gestures} options.gestures
 * @param {(clientX: number) => number} options.xOf
 * @param {(event: PointerEvent) => void} options.see called before every press and move
 * @param {() => void} options.press called before a press counts
 * @param {() => void} options.move called after every move
 * @param {() => void} options.leave called when there is no pointer any more
 * @param {AbortSignal} options.signal ends it
 */
export function followPointers(element, { gestures, xOf, see, press, move, leave, signal }) {
  const point = (/** @type {PointerEvent} */ { pointerId, clientX, timeStamp }) => ({ id: pointerId, x: xOf(clientX), t: timeStamp });
  /** @type {Record<string, (event: PointerEvent) => void>} */
  const handlers = {
    pointerdown(event) {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      see(event);
      press();
      gestures.down(point(event));
    },
    pointermove(event) {
      see(event);
      gestures.move(point(event));
      move();
    },
    pointerup(event) {
      gestures.up(point(event));
      // A finger that is lifted is nowhere; a mouse still is where it was.
      if (event.pointerType === 'mouse') move();
      else leave();
    },
    pointercancel(event) {
      gestures.cancel(event.pointerId);
      leave();
    },
    pointerleave(event) {
      if (!element.hasPointerCapture(event.pointerId)) leave();
    },
  };
  for (const [type, handler] of Object.entries(handlers)) {
    element.addEventListener(type, (event) => handler(/** @type {PointerEvent} */ (event)), { signal });
  }
}
