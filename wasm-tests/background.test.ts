// What is shown behind the person: out of focus, a colour, nothing, and back.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch } from "./kit/chromium.js";
import { PAGE, type Served, serve } from "./kit/serve.js";
import { expectStatus, openPage, thumbnail } from "./kit/studio.js";

let browser: Browser;
let served: Served;

beforeAll(async () => {
  browser = await launch("webgpu");
  served = await serve(PAGE);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** How long a slow machine may take for the next frame. */
const PATIENCE = { timeout: 30_000 };

/** Chooses a background and waits until the worker has it; the next frame shows it. */
async function behind(page: Page, what: string): Promise<void> {
  await page.locator("#status").evaluate((e) => e.replaceChildren());
  await page.locator("#behind").selectOption(what);
  await expectStatus(page, /Background changed/);
}

/** Red, green, blue and opacity of a pixel of the small canvas. */
function pixel(picture: readonly number[], x: number, y: number): number[] {
  return picture.slice(4 * (64 * y + x), 4 * (64 * y + x) + 4);
}

/** Differences between neighbours in the upper corners, where the sample photo shows a flag and a space shuttle. */
function contrast(picture: readonly number[]): number {
  let sum = 0;
  for (let y = 1; y < 24; y++) {
    for (const x of [...Array(9).keys(), ...Array(9).keys()].map((i, k) => (k < 9 ? i : 62 - i))) {
      sum += Math.abs((pixel(picture, x, y)[1] ?? 0) - (pixel(picture, x + 1, y)[1] ?? 0));
    }
  }
  return sum;
}

describe.each(["webgpu", "cpu"])("behind the person (%s)", (backend) => {
  it("stands what was chosen, and the person stays", async () => {
    const { page, context, errors } = await openPage(browser, served, `?backend=${backend}`);
    const photo = await thumbnail(page);

    await behind(page, "blur");
    await expect.poll(async () => contrast(await thumbnail(page)), PATIENCE).toBeLessThan(0.7 * contrast(photo));

    await behind(page, "colour");
    const farFromColour = async () => {
      const picture = await thumbnail(page);
      const corners = [1, 62].flatMap((x) => pixel(picture, x, 2).map((v, i) => v - ([0x2f, 0x48, 0x58, 255][i] ?? 0)));
      return Math.max(...corners.map(Math.abs));
    };
    await expect.poll(farFromColour, PATIENCE).toBeLessThan(5);
    const coloured = await thumbnail(page);
    const nose = pixel(coloured, 32, 34).map((v, i) => Math.abs(v - (pixel(photo, 32, 34)[i] ?? 0)));
    expect(Math.max(...nose), "the face is as it was").toBeLessThan(60);

    await behind(page, "transparent");
    await expect.poll(async () => pixel(await thumbnail(page), 1, 2), PATIENCE).toEqual([0, 0, 0, 0]);
    expect(pixel(await thumbnail(page), 32, 34)[3]).toBe(255);

    await behind(page, "keep");
    const farFromPhoto = async () => {
      const corner = pixel(await thumbnail(page), 1, 2);
      return Math.max(...corner.map((v, i) => Math.abs(v - (pixel(photo, 1, 2)[i] ?? 0))));
    };
    await expect.poll(farFromPhoto, PATIENCE).toBeLessThan(9);
    expect(errors).toEqual([]);
    await context.close();
  });
});
