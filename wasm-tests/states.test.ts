// Whatever happens to sound and tab: a sentence, a way on, nothing that was said is lost, and everybody can use it.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe } from "./kit/axe.js";
import { launchHearing } from "./kit/chromium.js";
import { spokenFile } from "./kit/own.js";
import { PAGE, type Served, serve } from "./kit/serve.js";
import { choose, expectStatus, movement, openPage, PHOTO } from "./kit/studio.js";
import { syllables } from "./kit/wav.js";

let browser: Browser;
let served: Served;

beforeAll(async () => {
  served = await serve(PAGE);
  browser = await launchHearing(spokenFile("syllables.wav", 4, syllables));
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** Keeps what the page asks the browser for, so that a test can take it away. */
async function keepDevices(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const kept = { contexts: [] as AudioContext[], tracks: [] as MediaStreamTrack[] };
    const Native = AudioContext;
    window.AudioContext = class extends Native {
      constructor(options?: AudioContextOptions) {
        super(options);
        kept.contexts.push(this);
      }
    };
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      kept.tracks.push(...stream.getTracks());
      return stream;
    };
    Object.assign(window, { kept });
  });
}

/** What {@link keepDevices} kept. */
interface Kept {
  readonly kept: { readonly contexts: AudioContext[]; readonly tracks: MediaStreamTrack[] };
}

const notice = (page: Page) => page.locator("#notice").innerText();

describe("somebody who comes for the first time", () => {
  it("speaks with the sample face after one click, and with an own photo after three", async () => {
    for (const photo of [undefined, PHOTO]) {
      const begun = performance.now();
      const { page, context } = await openPage(browser, served);
      await page.evaluate(() => {
        const seen = { clicks: 0 };
        Object.assign(window, { seen });
        addEventListener("click", (event) => event.isTrusted && event.detail > 0 && seen.clicks++, true);
      });
      if (photo !== undefined) {
        const chooser = page.waitForEvent("filechooser");
        await page.locator("label:has(#portrait-file)").click();
        await (await chooser).setFiles(photo);
        await page.locator("#consent button[value=yes]").click();
        await expectStatus(page, /^Portrait: /);
      }
      await page.locator("#microphone").click();
      await expectStatus(page, /^Live/);
      expect(await movement(page, 900), "the face moves").toBeGreaterThan(0.05);
      const seconds = (performance.now() - begun) / 1000;
      const { clicks } = await page.evaluate(() => (window as unknown as { seen: { clicks: number } }).seen);
      // Allowing the microphone is a click that no page sees; so is the choice of a file in the system's own dialog.
      const beside = photo === undefined ? 1 : 2;
      const whose = photo === undefined ? "the sample face" : "an own photo";
      console.info(`first use with ${whose}: ${clicks} + ${beside} clicks, ${seconds.toFixed(1)} s`);
      expect(clicks).toBe(photo === undefined ? 1 : 3);
      expect(seconds).toBeLessThanOrEqual(60);
      await context.close();
    }
  });
});

describe("live sound", () => {
  it("says what to do where there is none, and everything else goes on", async () => {
    const { page, context, errors } = await openPage(browser, served);
    for (const [name, sentence] of [
      ["NotAllowedError", /^The microphone was not allowed\. Please/],
      ["NotFoundError", /^No microphone was found\. Please/],
      ["NotReadableError", /^Another program holds the microphone\. Please/],
      ["AbortError", /^The microphone could not be used\. Please/],
    ] as const) {
      await page.evaluate((kind) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", kind));
      }, name);
      await page.locator("#microphone").click();
      await expectStatus(page, sentence);
      expect(await page.locator("#microphone").isEnabled()).toBe(true);
    }
    expect(await axe(page), "an error that is shown").toEqual([]);
    await page.evaluate(() => Object.defineProperty(navigator, "mediaDevices", { value: undefined }));
    await page.locator("#microphone").click();
    await expectStatus(page, /^This browser gives no microphone here\. Please/);
    await page.locator("#speak").click();
    await expectStatus(page, /^Speaking$/, 10_000);
    expect(errors).toEqual([]);
    await context.close();
  });

  it("tells of a microphone that is switched off, comes back after a sleep, and keeps what was said behind another tab", async () => {
    const { page, context, errors } = await openPage(browser, served, "", {}, keepDevices);
    await page.locator("#microphone").click();
    await expectStatus(page, /^Live/);
    const begun = performance.now();
    await page.evaluate(() => (window as unknown as Kept).kept.tracks[0]?.dispatchEvent(new Event("mute")));
    await expect.poll(() => notice(page)).toBe("The microphone is switched off. Please switch it on at the device.");
    await page.evaluate(() => (window as unknown as Kept).kept.tracks[0]?.dispatchEvent(new Event("unmute")));
    await expect.poll(() => notice(page)).toBe("The microphone is on again.");

    // The system takes the sound device: it is asked for again at once.
    const state = await page.evaluate(async () => {
      const context = (window as unknown as Kept).kept.contexts.find((c) => c.state === "running");
      await context?.suspend();
      await new Promise((resolve) => setTimeout(resolve, 500));
      return context?.state;
    });
    expect(state).toBe("running");

    // Another tab in front: nothing is painted, and everything is kept.
    const hide = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    await hide(true);
    await page.waitForTimeout(500);
    expect(await movement(page, 1500), "nobody sees it").toBe(0);
    await hide(false);
    await expect.poll(() => movement(page, 600), { timeout: 10_000 }).toBeGreaterThan(0.05);
    expect(await axe(page), "live").toEqual([]);

    const lasted = (performance.now() - begun) / 1000;
    await page.locator("#microphone").click();
    await expectStatus(page, /^Kept what you said/);
    const [, minutes = "0", seconds = "0"] = /(\d+):(\d\d)/.exec(await page.locator("#status").innerText()) ?? [];
    expect(Number(minutes) * 60 + Number(seconds), "all of it").toBeGreaterThan(lasted - 2.5);
    expect(errors).toEqual([]);
    await context.close();
  });
});

it("holds a recording where the sound device goes away, and goes on from there", async () => {
  const { page, context, errors } = await openPage(browser, served, "", {}, keepDevices);
  await page.locator("#speak").click();
  await expectStatus(page, /^Speaking$/, 10_000);
  await page.waitForTimeout(1200);
  await page.evaluate(() => (window as unknown as Kept).kept.contexts[0]?.suspend());
  await expectStatus(page, /^Paused$/);
  await expect.poll(() => notice(page)).toBe("The sound device went away. Press Go on when it is back.");
  const place = await page.locator("#seek").inputValue();
  expect(Number(place)).toBeGreaterThan(0.4);
  await page.locator("#speak").click();
  await expectStatus(page, /^Speaking$/, 10_000);
  expect(Number(await page.locator("#seek").inputValue())).toBeGreaterThanOrEqual(Number(place));
  expect(errors).toEqual([]);
  await context.close();
});

it.each(["light", "dark"] as const)("is accessible whatever is open (%s)", async (colorScheme) => {
  const { page, context } = await openPage(browser, served, "", { colorScheme });
  await page.keyboard.press("?");
  expect(await axe(page), "help").toEqual([]);
  await page.keyboard.press("Escape");
  await page.locator("#camera-open").click();
  await page.waitForSelector("#camera[open]");
  expect(await axe(page), "camera").toEqual([]);
  await page.keyboard.press("Escape");
  await page.locator("#portrait-file").setInputFiles(PHOTO);
  await page.waitForSelector("#consent[open]");
  expect(await axe(page), "consent").toEqual([]);
  await page.locator("#consent button[value=no]").click();
  await page.locator("#behind").selectOption("colour");
  await expectStatus(page, /^Background changed/);
  expect(await axe(page), "a colour behind the person").toEqual([]);
  // Long enough that it is still being saved when axe-core has looked.
  await choose(page, "voice", spokenFile("long.wav", 120, syllables, 16_000));
  await expectStatus(page, /^Voice: /);
  await page.locator("#save").click();
  await page.waitForSelector("#saving:not([hidden])");
  expect(await axe(page), "saving").toEqual([]);
  await page.locator("#cancel").click();
  await expectStatus(page, /^The video was not saved/);
  await context.close();
});
