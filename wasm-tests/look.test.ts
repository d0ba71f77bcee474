// The page at three sizes: nothing sticks out, nothing jumps, everything can be reached by keyboard and has a name.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { axe } from "./kit/axe.js";
import { launch, openWatched } from "./kit/chromium.js";
import { PAGE, ROOT, type Served, serve } from "./kit/serve.js";
import { openPage } from "./kit/studio.js";

const SHOTS = join(ROOT, "wasm-tests/shots");
/** Width, height, colours. */
const SIZES = [
  [1280, 900, "light"],
  [768, 1100, "dark"],
  [360, 740, "light"],
] as const;

let browser: Browser;
let served: Served;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await launch("cpu");
  served = await serve(PAGE);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

it.each(SIZES)("fits %i x %i (%s)", async (width, height, colorScheme) => {
  const { page, context } = await openWatched(browser, served.origin, { viewport: { width, height }, colorScheme });
  await page.addInitScript(() => {
    const seen = { shift: 0 };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.shift += (entry as unknown as { value: number }).value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(served.origin);
  await page.waitForSelector(".frame.alive", { timeout: 60_000 });
  await page.waitForTimeout(1500);
  // Before the screenshot: for that of the whole page the browser itself moves things.
  const { wide, shift } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    shift: (window as unknown as { seen: { shift: number } }).seen.shift,
  }));
  await page.screenshot({ path: join(SHOTS, `page-${width}.png`), fullPage: true });
  expect(wide, "nothing sticks out").toBeLessThanOrEqual(0);
  expect(shift, "nothing jumps").toBeLessThan(0.05);
  await context.close();
});

it("gives every control a name, a reachable size and a visible focus", async () => {
  const { page, context } = await openPage(browser, served);
  const controls = page.locator("button:visible, select:visible, input[type=range]:visible, [role=slider]:visible");
  for (const control of await controls.all()) {
    const box = await control.boundingBox();
    const name = await control.evaluate(
      (e: HTMLInputElement) =>
        e.getAttribute("aria-label") || e.labels?.[0]?.textContent?.trim() || e.textContent?.trim(),
    );
    expect(name, await control.evaluate((e) => e.outerHTML)).toBeTruthy();
    expect(box?.height, `${name} is tall enough for a finger`).toBeGreaterThanOrEqual(43.5);
  }
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle);
  expect(outline).not.toBe("none");
  await context.close();
});

it.each(["light", "dark"] as const)("has nothing that axe-core calls serious (%s)", async (colorScheme) => {
  const { page, context } = await openPage(browser, served, "", { colorScheme });
  for (const summary of await page.locator("details > summary").all()) await summary.click();
  expect(await axe(page)).toEqual([]);
  await context.close();
});

it("is steered by keys", async () => {
  const { page, context } = await openPage(browser, served);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  expect(await page.locator("#gaze-value").innerText()).toBe("3° right, 3° down");
  await page.keyboard.press("1");
  expect(await page.locator("#moods input").first().inputValue()).toBe("1");
  await page.keyboard.press("t");
  expect(await page.locator("#seed").innerText()).toBe("2");
  await page.keyboard.press("0");
  expect(await page.locator("#gaze-value").innerText()).toBe("straight");
  await page.keyboard.press("?");
  expect(await page.locator("#help").isVisible()).toBe(true);
  await context.close();
});

it("keeps its own script under 30 KB gzip", () => {
  const assets = join(PAGE, "assets");
  const own = readdirSync(assets).filter((name) => /^index-.*\.js$/.test(name));
  expect(own).toHaveLength(1);
  const bytes = own.reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0);
  expect(bytes).toBeLessThan(30_000);
});
