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

/** Chooses a background and waits until it is there. */
async function behind(page: Page, what: string): Promise<void> {
  await page.locator("#status").evaluate((e) => e.replaceChildren());
  await page.locator("#behind").selectOption(what);
  await expectStatus(page, /Background changed/);
  await page.waitForTimeout(300);
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
    expect(contrast(await thumbnail(page))).toBeLessThan(0.7 * contrast(photo));

    await behind(page, "colour");
    const coloured = await thumbnail(page);
    for (const x of [1, 62]) {
      const [red = 0, green = 0, blue = 0, opacity] = pixel(coloured, x, 2);
      expect(Math.abs(red - 0x2f) + Math.abs(green - 0x48) + Math.abs(blue - 0x58)).toBeLessThan(9);
      expect(opacity).toBe(255);
    }
    const nose = pixel(coloured, 32, 34).map((v, i) => Math.abs(v - (pixel(photo, 32, 34)[i] ?? 0)));
    expect(Math.max(...nose), "the face is as it was").toBeLessThan(60);

    await behind(page, "transparent");
    const clear = await thumbnail(page);
    expect(pixel(clear, 1, 2)).toEqual([0, 0, 0, 0]);
    expect(pixel(clear, 32, 34)[3]).toBe(255);

    await behind(page, "keep");
    const again = await thumbnail(page);
    expect(pixel(again, 1, 2).every((v, i) => Math.abs(v - (pixel(photo, 1, 2)[i] ?? 0)) < 9)).toBe(true);
    expect(errors).toEqual([]);
    await context.close();
  });
});
