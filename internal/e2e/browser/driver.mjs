// Drives one Chromium for the Go tests. Commands come as JSON lines on stdin,
// {"id", "do", ...}, and are answered on stdout by {"id", "result"} or
// {"id", "error"}; {"event", "text"} lines report what the pages say.
// The browser ends with stdin. CHROMIUM is its path, CHROMIUM_FLAGS has further
// flags.

import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { installPast, pastCommands } from './playback.mjs';
import { install } from './probe.mjs';

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
  ...(process.env.CHROMIUM_FLAGS ?? '').split(' ').filter(Boolean),
];

/** How long the browser may take to start, and for each thing that it is told, on a busy machine. */
const timeout = 80_000;

const write = (message) => process.stdout.write(JSON.stringify(message) + '\n');
const event = (text) => write({ event: 'log', text: String(text).slice(0, 2000) });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: flags, timeout });
const pages = new Map();
/** Contexts that several pages share, as the windows of one browser profile do. */
const profiles = new Map();

/** A page that is being loaded again has no answer yet. */
function whileItLoads(error) {
  if (!/context was destroyed/.test(error.message)) throw error;
}

const commands = {
  ...pastCommands(pages),
  async version() {
    return browser.version();
  },
  // Opens a page in a context of its own, so that no storage is shared, or in
  // that of a profile. Insecure: somebody has clicked the warning away.
  async open({ page: name, url, dark, insecure, profile, touch, width = 1280, height = 800 }) {
    const options = { viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', ignoreHTTPSErrors: insecure, hasTouch: touch };
    const context = profiles.get(profile) ?? (await browser.newContext(options));
    if (profile) profiles.set(profile, context);
    context.setDefaultTimeout(timeout);
    const page = await context.newPage();
    page.on('console', (m) => event(`${name} console ${m.type()}: ${m.text()}`));
    page.on('pageerror', (e) => event(`${name} pageerror: ${e.stack ?? e}`));
    page.on('requestfailed', (r) => event(`${name} request failed: ${r.url()} ${r.failure()?.errorText}`));
    await page.addInitScript(install);
    await page.addInitScript(installPast);
    pages.set(name, page);
    await page.goto(url, { waitUntil: 'domcontentloaded' });
  },
  // Evaluates an expression in the page; it may be a promise.
  async eval({ page, js }) {
    return pages.get(page).evaluate(js);
  },
  // Waits until an expression is truthy, and returns it. The question is asked
  // from here: the page's policy forbids eval, and should.
  async wait({ page, js, timeoutMs }) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const value = await pages.get(page).evaluate(js).catch(whileItLoads);
      if (value) return value;
      if (Date.now() > deadline) throw new Error('still ' + JSON.stringify(value));
      await setTimeout(50);
    }
  },
  async screenshot({ page, path }) {
    await pages.get(page).screenshot({ path });
  },
  async press({ page, key }) {
    await pages.get(page).keyboard.press(key);
  },
  async click({ page, selector }) {
    await pages.get(page).click(selector);
  },
  async fill({ page, selector, text }) {
    await pages.get(page).fill(selector, text);
  },
  // What "clear site data" in the browser's settings does, and a reload.
  async forget({ page }) {
    const p = pages.get(page);
    const session = await p.context().newCDPSession(p);
    const { origin } = new URL(p.url());
    await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
    await p.reload({ waitUntil: 'domcontentloaded' });
  },
  async reload({ page }) {
    await pages.get(page).reload({ waitUntil: 'domcontentloaded' });
  },
  async close({ page }) {
    const p = pages.get(page);
    if ([...profiles.values()].includes(p.context())) await p.close();
    else await p.context().close();
    pages.delete(page);
  },
};

write({ event: 'ready' });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: name, ...args } = JSON.parse(line);
  try {
    write({ id, result: (await commands[name](args)) ?? null });
  } catch (e) {
    write({ id, error: e.message });
  }
}
await browser.close();
