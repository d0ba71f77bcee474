// A browser without WebGPU: the processor makes the frames.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch } from "./kit/chromium.js";
import { PAGE, type Served, serve } from "./kit/serve.js";
import { expectStatus, movement, openPage } from "./kit/studio.js";

let browser: Browser;
let served: Served;

beforeAll(async () => {
  browser = await launch("cpu");
  served = await serve(PAGE);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

it("speaks without WebGPU and says what it runs on", async () => {
  const { page, context, errors } = await openPage(browser, served);
  const adapter = await page.evaluate(async () => {
    const { gpu } = navigator as unknown as { gpu?: { requestAdapter(): Promise<unknown> } };
    return (await gpu?.requestAdapter()) ?? null;
  });
  expect(adapter, "this browser must have no WebGPU").toBeNull();
  await expect.poll(() => page.locator("#engine").innerText(), { timeout: 20_000 }).toContain("the processor");
  await page.locator("#speak").click();
  await expectStatus(page, /^Speaking$/, 10_000);
  expect(await movement(page, 600)).toBeGreaterThan(0.05);
  expect(errors).toEqual([]);
  await context.close();
});

it("says so when WebGPU is asked for and missing", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${served.origin}?backend=webgpu`);
  await expectStatus(page, /WebGPU.*\.$/);
  await context.close();
});
