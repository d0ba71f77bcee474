// What the page does beside speaking: it takes photos, works without a network, and passes its settings on.

import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchSeeing } from "./kit/chromium.js";
import { PAGE, ROOT, type Served, serve } from "./kit/serve.js";
import { expectStatus, movement, openPage, PHOTO } from "./kit/studio.js";

let page: Served;
let browser: Browser;

beforeAll(async () => {
  page = await serve(PAGE);
  const folder = join(ROOT, "build/own");
  mkdirSync(folder, { recursive: true });
  // A JPEG file is a film of one picture.
  copyFileSync(PHOTO, join(folder, "camera.mjpeg"));
  browser = await launchSeeing(join(folder, "camera.mjpeg"));
});

afterAll(async () => {
  await browser?.close();
  await page?.close();
});

describe("the page", () => {
  it("takes a photo with the camera and lets go of it", async () => {
    const { page: tab, context, errors } = await openPage(browser, page);
    await tab.locator("#camera-open").click();
    await tab.waitForFunction(() => (document.querySelector<HTMLVideoElement>("#camera-view")?.videoWidth ?? 0) > 0);
    await tab.locator("#camera-take").click();
    await tab.locator("#consent button[value=yes]").click();
    await expectStatus(tab, /^Portrait: your photo\.jpg, .*one face/);
    expect(await tab.evaluate(() => document.querySelector<HTMLVideoElement>("#camera-view")?.srcObject)).toBeNull();
    expect(errors).toEqual([]);
    await context.close();
  });

  it("opens without a network once it was there", async () => {
    const { page: tab, context } = await openPage(browser, page);
    const kept = () =>
      tab.evaluate(async () => {
        const list: string[] = await (await fetch("./files.json")).json();
        return (await (await caches.open("parlante")).keys()).length - list.length;
      });
    await expect.poll(kept, { timeout: 60_000 }).toBe(1);
    await context.setOffline(true);
    await tab.reload();
    await tab.waitForSelector("#save:not([disabled])", { timeout: 60_000 });
    expect(await movement(tab, 1500)).toBeGreaterThan(0.02);
    await context.close();
  });

  it("is isolated from other sites from the second visit on, whatever its server says", async () => {
    const plain = await serve(PAGE, { headers: {} });
    const { page: tab, context, errors } = await openPage(browser, plain);
    expect(await tab.evaluate(() => crossOriginIsolated)).toBe(false);
    await expect.poll(() => tab.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    await tab.reload();
    await tab.waitForSelector(".frame.alive", { timeout: 60_000 });
    expect(await tab.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(errors).toEqual([]);
    await context.close();
    await plain.close();
  });

  it("turns the gaze by a drag over the face and its distance by the wheel, after a lost worker too", async () => {
    const { page: tab, context } = await openPage(browser, page);
    const box = await tab.locator("#frame").boundingBox();
    if (box === null) throw new Error("the frame is not shown");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const look = async (share: number) => {
      await tab.mouse.move(x, y);
      await tab.mouse.down();
      await tab.mouse.move(x + share * box.width, y, { steps: 4 });
      await tab.mouse.up();
    };
    const gaze = () => tab.locator("#gaze-value").innerText();
    const first = await tab.locator("#face").elementHandle();
    await look(0.2);
    await expect.poll(gaze).toMatch(/° right$/);
    await tab
      .workers()[0]
      ?.evaluate(() => self.close())
      .catch(() => {});
    const isNew = () => tab.evaluate((old) => old !== document.querySelector("#face"), first);
    await expect.poll(isNew, { timeout: 60_000 }).toBe(true);
    await look(-0.2);
    await expect.poll(gaze).toMatch(/° left$/);
    await tab.mouse.wheel(0, -400);
    await expect.poll(() => tab.url()).toContain("distance=");
    await context.close();
  });

  it("passes its settings on in the address", async () => {
    const { page: tab, context } = await openPage(browser, page, "#happy=0.5&gazeX=9&seed=7");
    expect(await tab.locator("#moods input").first().inputValue()).toBe("0.5");
    expect(await tab.locator("#gaze-value").innerText()).toBe("9° right");
    expect(await tab.locator("#seed").innerText()).toBe("7");
    await tab.keyboard.press("2");
    await expect.poll(() => tab.url()).toContain("sad=1");
    await tab.locator("#reset").click();
    await expect.poll(() => tab.url()).not.toContain("=");
    await context.close();
  });
});
