// Bad input: always one sentence that says what to do, and the page goes on working.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, type Watched } from "./kit/chromium.js";
import { PAGE, ROOT, type Served, serve } from "./kit/serve.js";
import { choose, expectStatus, openPage, PHOTO, status } from "./kit/studio.js";
import { syllables, wav } from "./kit/wav.js";

let browser: Browser;
let served: Served;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  browser = await launch("cpu");
  served = await serve(PAGE);
  watched = await openPage(browser, served);
  page = watched.page;
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** One sentence, or two: what happened and what to do, without a trace of the machinery. */
const SENTENCE = /^[A-Z“][^\n]*[.!]$/;

async function expectComplaint(about: RegExp): Promise<void> {
  await page.waitForSelector("#status.wrong", { timeout: 30_000 });
  const said = await status(page);
  expect(said).toMatch(SENTENCE);
  expect(said).toMatch(about);
  expect(said).not.toMatch(/undefined|unreachable|panicked|RuntimeError|object Object/);
}

/** A PNG whose header promises a picture of `side` x `side`. */
function hugePng(side: number): Buffer {
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
    "base64",
  );
  png.writeUInt32BE(side, 16);
  png.writeUInt32BE(side, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

describe("pictures", () => {
  const photo = readFileSync(PHOTO);
  const cases: [string, Buffer, RegExp][] = [
    ["empty.jpg", Buffer.alloc(0), /empty/],
    ["truncated.jpg", photo.subarray(0, 300), /picture|photo|image/i],
    ["text.jpg", Buffer.from("This is not a picture."), /picture|photo|image/i],
    ["huge.png", hugePng(100_000), /large|pixels|smaller/i],
  ];

  it.each(cases)("says what is wrong with %s", async (name, buffer, about) => {
    await choose(page, "portrait", { name, mimeType: "image/jpeg", buffer });
    await expectComplaint(about);
  });

  it("says so when there is no face", async () => {
    const png = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(400, 300);
      const context = canvas.getContext("2d");
      if (!context) throw new Error("no canvas");
      const sky = context.createLinearGradient(0, 0, 0, 300);
      sky.addColorStop(0, "#89b");
      sky.addColorStop(1, "#574");
      context.fillStyle = sky;
      context.fillRect(0, 0, 400, 300);
      const blob = await canvas.convertToBlob({ type: "image/png" });
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    await choose(page, "portrait", { name: "meadow.png", mimeType: "image/png", buffer: Buffer.from(png) });
    await expectComplaint(/face/);
  });

  it("goes on with a good photo afterwards", async () => {
    await choose(page, "portrait", PHOTO);
    await expectStatus(page, /^Portrait: .*one face/);
  });
});

describe("recordings", () => {
  const cd = { rate: 16_000, channels: 1, sample: "s16" } as const;
  const bad: [string, Buffer, RegExp][] = [
    ["empty.wav", Buffer.alloc(0), /empty/],
    ["no-samples.wav", wav(0, cd, syllables), /0 s|empty|nothing/i],
    ["text.mp3", Buffer.from("This is no recording at all, only words."), /recording|format|sound/i],
  ];

  it.each(bad)("says what is wrong with %s", async (name, buffer, about) => {
    await choose(page, "voice", { name, mimeType: "audio/wav", buffer });
    await expectComplaint(about);
  });

  const nan = (second: number) => (second > 0.5 && second < 0.6 ? Number.NaN : syllables(second));
  const odd: [string, Buffer][] = [
    ["short.wav", wav(0.1, cd, syllables)],
    ["silence.wav", wav(2, cd, () => 0)],
    ["telephone.wav", wav(2, { rate: 8_000, channels: 1, sample: "u8" }, syllables)],
    ["surround.wav", wav(2, { rate: 96_000, channels: 6, sample: "s16" }, syllables)],
    ["nan.wav", wav(2, { rate: 48_000, channels: 1, sample: "f32" }, nan)],
  ];

  it.each(odd)("speaks %s to its end", async (name, buffer) => {
    await choose(page, "voice", { name, mimeType: "audio/wav", buffer });
    await expectStatus(page, new RegExp(`^Voice: ${name}`));
    await page.locator("#speak").click();
    await expectStatus(page, /^Done$/, 20_000);
  });

  it("says what it cannot use when something else is dropped", async () => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["x"], "notes.pdf", { type: "application/pdf" }));
      window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
    });
    await expectComplaint(/notes\.pdf/);
  });
});

describe("packs", () => {
  /** Opens the page with another file in place of the pack. */
  async function withPack(body: Buffer): Promise<string> {
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.route("**/*.gguf", (route) => route.fulfill({ body }));
    await tab.goto(served.origin);
    await tab.waitForSelector("#status.wrong", { timeout: 30_000 });
    const said = await status(tab);
    await context.close();
    return said;
  }

  const pack = readFileSync(join(ROOT, "build/parlante-default.gguf"));
  const hostile = Buffer.from(pack.subarray(0, 4096));
  // The number of tensors, far beyond the file's length.
  hostile.writeBigUInt64LE(1n << 62n, 8);
  const cases: [string, Buffer][] = [
    ["empty", Buffer.alloc(0)],
    ["foreign", Buffer.from("This is no pack.")],
    ["truncated", pack.subarray(0, Math.floor(pack.length / 2))],
    ["hostile", hostile],
  ];

  it.each(cases)("says what is wrong with a pack: %s", async (_, body) => {
    expect(await withPack(body)).toMatch(SENTENCE);
  });
});

it("made no trouble behind the scenes", () => {
  expect(watched.errors).toEqual([]);
  expect(watched.foreign).toEqual([]);
});
