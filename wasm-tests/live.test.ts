// The face speaks with the microphone: it moves with what is said, soon after it, and keeps it.

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, launchHearing, openWatched } from "./kit/chromium.js";
import { spokenFile } from "./kit/own.js";
import { PAGE, type Served, serve } from "./kit/serve.js";
import { expectStatus, movement, openPage, SPEECH } from "./kit/studio.js";

const RATE = 48_000;
/** The sentence is cut into pieces with as much silence between them, seconds: a beat that a mouth shows clearly. */
const BEAT = 1;

let page: Served;
let browser: Browser;

/** The sample sentence in pieces as a WAV file, made by a browser because Node decodes no sound. */
async function sentence(): Promise<string> {
  const decoder = await launch("cpu");
  const { page: tab } = await openWatched(decoder, page.origin);
  await tab.goto(page.origin);
  const samples = await tab.evaluate(
    async ({ file, rate }) => {
      const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(Uint8Array.from(file).buffer);
      return [...sound.getChannelData(0)];
    },
    { file: [...readFileSync(SPEECH)], rate: RATE },
  );
  await decoder.close();
  const spoken = (second: number) => {
    const [beat, inside] = [Math.floor(second / BEAT), second % BEAT];
    return beat % 2 === 1 ? 0 : (samples[Math.round(((beat / 2) * BEAT + inside) * RATE)] ?? 0);
  };
  const seconds = Math.floor(samples.length / RATE / BEAT) * 2 * BEAT;
  return spokenFile("sentence.wav", seconds, spoken, RATE);
}

interface Moment {
  /** Milliseconds. */
  readonly at: number;
  /** The level that the page shows, 0..1. */
  readonly level: number;
  /** How much the mouth and what is about it changed, levels of brightness. */
  readonly change: number;
}

/** Looks at the level and the mouth again and again. */
async function look(tab: Page, seconds: number): Promise<Moment[]> {
  return tab.evaluate(async (duration) => {
    const face = document.querySelector<HTMLCanvasElement>("#face");
    const level = document.querySelector<HTMLMeterElement>("#level");
    const context = new OffscreenCanvas(128, 128).getContext("2d", { willReadFrequently: true });
    if (!context || !face || !level) throw new Error("no canvas");
    const moments: { at: number; level: number; picture: number[] }[] = [];
    const end = performance.now() + duration * 1000;
    while (performance.now() < end) {
      context.drawImage(face, 0, 0, 128, 128);
      const { data } = context.getImageData(0, 0, 128, 128);
      moments.push({ at: performance.now(), level: level.value, picture: [...data.filter((_, i) => i % 4 === 1)] });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    // How much the lower half of the middle changed since 100 ms before.
    return moments.map(({ at, level: loud, picture }) => {
      const before = moments.findLast((m) => m.at <= at - 100)?.picture ?? picture;
      let change = 0;
      for (let y = 64; y < 110; y++) {
        for (let x = 44; x < 84; x++) change += Math.abs((picture[y * 128 + x] ?? 0) - (before[y * 128 + x] ?? 0));
      }
      return { at, level: loud, change: change / (46 * 40) };
    });
  }, seconds);
}

/** Changes above this are the mouth's; below it, the breath's. */
const MOVES = 2.5;

/** For each beginning of speech after silence: milliseconds until the mouth moves, and how still it was before. */
function beginnings(moments: readonly Moment[]): { readonly wait: number; readonly before: number }[] {
  const found = [];
  for (const [i, { at, level }] of moments.entries()) {
    const before = moments.slice(0, i).filter((m) => m.at > at - 300);
    if (level < 0.2 || before.length < 3 || before.some((m) => m.level > 0)) continue;
    const moving = moments.slice(i).find(({ change }) => change > MOVES);
    const still = before.reduce((sum, { change }) => sum + change, 0) / before.length;
    if (moving) found.push({ wait: moving.at - at, before: still });
  }
  return found;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

beforeAll(async () => {
  page = await serve(PAGE);
  browser = await launchHearing(await sentence());
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await page?.close();
});

describe("live", () => {
  // A machine that does other work tears sound and picture: what counts is what it can do.
  it("speaks with the microphone soon after it, and keeps what was said", { retry: 2 }, async () => {
    const { page: tab, context, errors, foreign } = await openPage(browser, page);
    await tab.locator("#microphone").click();
    await expectStatus(tab, /^Live/);
    // The head keeps still, so that what changes is the mouth.
    await tab.evaluate(() => {
      for (const label of document.querySelectorAll("label.slider")) {
        const input = label.querySelector("input");
        if (input === null || !/^(Head|Liveliness)/.test(label.textContent)) continue;
        input.value = "0";
        input.dispatchEvent(new Event("input"));
      }
    });
    await tab.waitForTimeout(1500);
    const moments = await look(tab, 12);
    const begun = beginnings(moments);
    const shown = begun.map(({ wait, before }) => `${wait.toFixed(0)} ms after ${before.toFixed(1)}`).join(", ");
    expect(begun.length, shown).toBeGreaterThanOrEqual(4);
    const wait = median(begun.map((b) => b.wait));
    expect(wait, `the mouth follows soon: ${shown}`).toBeLessThanOrEqual(400);
    expect(wait, `nobody speaks before the voice: ${shown}`).toBeGreaterThanOrEqual(40);
    expect(median(begun.map((b) => b.before)), `silence keeps the mouth still: ${shown}`).toBeLessThan(MOVES / 2);
    console.info(`the mouth moves ${wait.toFixed(0)} ms after the microphone's level (${shown})`);

    // The same button, and what was said is there to be spoken again.
    await tab.locator("#microphone").click();
    await expectStatus(tab, /^Kept what you said, \d:\d\d/);
    await tab.locator("#speak").click();
    await expectStatus(tab, /^Speaking$/, 10_000);
    expect(await movement(tab, 600)).toBeGreaterThan(0.02);
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
    await context.close();
  });

  it("says what to do where the microphone is refused, and goes on", async () => {
    const { page: tab, context } = await openPage(browser, page);
    await tab.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    });
    await tab.locator("#microphone").click();
    await expectStatus(tab, /^The microphone was not allowed\./);
    await tab.locator("#speak").click();
    await expectStatus(tab, /^Speaking$/, 10_000);
    await context.close();
  });

  it("keeps what was said when the microphone is unplugged, and can go live again", async () => {
    const { page: tab, context } = await openPage(browser, page);
    await tab.evaluate(() => {
      const { mediaDevices } = navigator;
      const ask = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        Object.assign(window, { unplug: () => stream.getTracks()[0]?.dispatchEvent(new Event("ended")) });
        return stream;
      };
    });
    await tab.locator("#microphone").click();
    await expectStatus(tab, /^Live/);
    await tab.waitForTimeout(1500);
    await tab.evaluate(() => (window as unknown as { unplug(): void }).unplug());
    await expectStatus(tab, /^Kept what you said/);
    await tab.locator("#microphone").click();
    await expectStatus(tab, /^Live/);
    await context.close();
  });
});
