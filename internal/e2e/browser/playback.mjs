// What the tests of playback need besides: hands that drag and pinch, files that
// are saved, and in the page window.past, which looks at the timeline and the
// picture of the past.

import { setTimeout } from 'node:timers/promises';

/** Runs in every page before its own scripts. */
export function installPast() {
  const one = (selector) => document.querySelector(selector);
  const timeline = () => one('sl-timeline');

  /** Where a time is in the window, on the band of the timeline; it is brought into sight. */
  async function pointOf(ms) {
    if (!timeline().scale.shows(ms)) {
      // Not by reveal, which is for the playhead, and brings that back into sight.
      const { msPerPx, width } = timeline().scale;
      timeline().show(ms - (msPerPx * width) / 2, ms + (msPerPx * width) / 2);
      // It slides there, as long as a busy machine takes.
      let [x, still] = [NaN, 0];
      for (const end = performance.now() + 15_000; still < 3 && performance.now() < end; ) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const now = timeline().scale.xOf(ms);
        still = Math.abs(now - x) < 0.5 && timeline().scale.shows(ms) ? still + 1 : 0;
        x = now;
      }
    }
    const box = one('[data-testid=timeline]').getBoundingClientRect();
    return { x: box.left + timeline().scale.xOf(ms), y: box.top + box.height / 2 };
  }

  /** What is on the screen of the past; the stamp is null while there is no picture. */
  async function shown() {
    const { readStamp } = await import('/stamp.js');
    const video = one('.past-video');
    let stamp = null;
    if (video?.videoWidth > 0) {
      const context = new OffscreenCanvas(640, 32).getContext('2d', { willReadFrequently: true });
      context.drawImage(video, 0, 0, 640, 32, 0, 0, 640, 32);
      stamp = readStamp(context.getImageData(0, 0, 640, 32));
    }
    return {
      stamp, mode: one('sl-player').dataset.mode, badge: one('.badge').textContent, playhead: one('.playhead-time').textContent,
      notice: one('[data-testid=past-notice]')?.checkVisibility() ? one('[data-testid=past-notice]').textContent : '',
      rate: video?.playbackRate ?? 0, nowMs: performance.timeOrigin + performance.now(),
      muted: [...document.querySelectorAll('video')].map((each) => each.muted),
    };
  }

  /** Waits for a picture of a time, and returns by how much it is off; null if for so long none comes. */
  async function near(ms, patienceMs) {
    for (const end = performance.now() + patienceMs; ;) {
      const { mode, stamp } = await shown();
      if (mode === 'past' && stamp && Math.abs(stamp.timeMs - ms) < 500) return stamp.timeMs - ms;
      if (performance.now() > end) return null;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Keeps in past.heard what is said over the picture from now on, if only for a moment. */
  function listen() {
    const heard = [];
    const look = () => {
      const notice = one('[data-testid=past-notice]');
      if (notice?.checkVisibility() && heard.at(-1) !== notice.textContent) heard.push(notice.textContent);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    window.past.heard = heard;
  }

  /** Whether anything sticks out of the window, or is too small for a finger. */
  function misfits() {
    const found = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the window');
    const preview = one('sl-preview')?.getBoundingClientRect();
    if (preview?.width > 0 && (preview.left < 0 || preview.right > innerWidth)) found.push('the preview is outside of the window');
    for (const slider of document.querySelectorAll('.player-dock [role=slider]')) {
      const words = slider.getAttribute('aria-valuetext');
      if (slider.checkVisibility() && (!words || !slider.hasAttribute('aria-valuenow'))) found.push(`a slider says ${words}`);
    }
    for (const element of document.querySelectorAll('.player-dock :is(button, select)')) {
      if (!element.checkVisibility() || element.closest('[popover]')) continue;
      const { left, right, width, height } = element.getBoundingClientRect();
      const name = element.getAttribute('aria-label') ?? element.textContent;
      if (left < 0 || right > innerWidth) found.push(`${name} is outside of the window`);
      if (navigator.maxTouchPoints > 0 && (width < 40 || height < 40)) found.push(`${name} has ${width} by ${height} pixels`);
    }
    return found;
  }

  /** Whether the preview shows a picture, by its colours. */
  function preview() {
    const canvas = one('sl-preview canvas');
    if (!canvas?.checkVisibility() || canvas.width === 0) return 0;
    const context = new OffscreenCanvas(32, 18).getContext('2d');
    context.drawImage(canvas, 0, 0, 32, 18);
    const { data } = context.getImageData(0, 0, 32, 18);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add(((data[i] >> 5) << 6) | ((data[i + 1] >> 5) << 3) | (data[i + 2] >> 5));
    return seen.size;
  }

  /** Requests of recordings that did not go through the session. */
  const leaks = () => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.includes('/v1/recordings'));

  window.past = { timeline, piece: () => timeline()?.piece, scale: () => timeline()?.scale, pointOf, shown, near, listen, misfits, preview, leaks };
}

/** Commands of the driver, over its pages. */
export const pastCommands = (pages) => ({
  // Moves the mouse along points, pressed if the command says so.
  async mouse({ page, points, pressed }) {
    const { mouse } = pages.get(page);
    for (const [i, { x, y }] of points.entries()) {
      await mouse.move(x, y);
      if (pressed && i === 0) await mouse.down();
    }
    if (pressed) await mouse.up();
  },
  async wheel({ page, dx = 0, dy = 0 }) {
    await pages.get(page).mouse.wheel(dx, dy);
  },
  // Fingers: each frame is a list of points, one a finger.
  async touch({ page, frames }) {
    const session = await pages.get(page).context().newCDPSession(pages.get(page));
    const send = (type, points) =>
      session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(({ x, y }, id) => ({ x, y, id })) });
    await send('touchStart', frames[0]);
    for (const points of frames.slice(1)) {
      await send('touchMove', points);
      await setTimeout(16);
    }
    await send('touchEnd', []);
    await session.detach();
  },
  async select({ page, selector, value }) {
    await pages.get(page).selectOption(selector, value);
  },
  // Clicks on what saves a file, and keeps that file.
  async save({ page, selector, path }) {
    const p = pages.get(page);
    const coming = p.waitForEvent('download');
    await p.click(selector);
    const file = await coming;
    await file.saveAs(path);
    return file.suggestedFilename();
  },
});
