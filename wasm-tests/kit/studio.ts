import { join } from "node:path";
import type { Browser, Download, Page } from "playwright-core";
import { expect } from "vitest";
import type { Report } from "../probe/probe.js";
import { openWatched, type Watched } from "./chromium.js";
import { ROOT, type Served } from "./serve.js";

/** A real photo of a person and a real sentence. */
export const PHOTO = join(ROOT, "web/page/samples/portrait.jpg");
export const SPEECH = join(ROOT, "web/page/samples/speech.mp3");

/** Opens the page and waits until the face lives; `prepare` has the tab before the page does. */
export async function openPage(
  browser: Browser,
  served: Served,
  query = "",
  options = {},
  prepare: (page: Page) => Promise<void> = async () => {},
): Promise<Watched> {
  const watched = await openWatched(browser, served.origin, options);
  await prepare(watched.page);
  await watched.page.goto(served.origin + query);
  await watched.page.waitForSelector(".frame.alive", { timeout: 60_000 });
  await watched.page.waitForSelector("#save:not([disabled])", { timeout: 60_000 });
  return watched;
}

/** The sentence under the face. */
export function status(page: Page): Promise<string> {
  return page.locator("#status").innerText();
}

/** Chooses a file by its button, and answers the question for consent where it is asked. */
export async function choose(page: Page, kind: "portrait" | "voice", file: string | NamedFile): Promise<void> {
  await page.locator(`#${kind}-file`).setInputFiles(file);
  const consent = page.locator("#consent button[value=yes]");
  if (kind === "portrait" && (await consent.isVisible())) await consent.click();
}

/** A file that is made up by a test. */
export interface NamedFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Waits for a sentence under the face. */
export async function expectStatus(page: Page, words: RegExp, timeout = 30_000): Promise<void> {
  await expect.poll(() => status(page), { timeout }).toMatch(words);
}

/** The canvas, small: red, green, blue and opacity of 64 x 64 pixels. */
export async function thumbnail(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const face = document.querySelector<HTMLCanvasElement>("#face");
    const context = new OffscreenCanvas(64, 64).getContext("2d");
    if (!context || !face) throw new Error("no canvas");
    context.drawImage(face, 0, 0, 64, 64);
    return [...context.getImageData(0, 0, 64, 64).data];
  });
}

/** Mean difference between two pictures of the canvas, 0..255. */
export async function movement(page: Page, milliseconds: number): Promise<number> {
  return page.evaluate(async (wait) => {
    const face = document.querySelector<HTMLCanvasElement>("#face");
    const look = () => {
      const context = new OffscreenCanvas(128, 128).getContext("2d", { willReadFrequently: true });
      if (!context || !face) throw new Error("no canvas");
      context.drawImage(face, 0, 0, 128, 128);
      return context.getImageData(0, 0, 128, 128).data;
    };
    const before = look();
    await new Promise((resolve) => setTimeout(resolve, wait));
    const after = look();
    return before.reduce((sum, x, i) => sum + Math.abs(x - (after[i] ?? 0)), 0) / before.length;
  }, milliseconds);
}

/** Saves the video by its button; answers where the file lies. */
export async function save(page: Page, format: "mp4" | "webm"): Promise<string> {
  await page.locator("#format").selectOption(format);
  const download = page.waitForEvent("download", { timeout: 300_000 });
  await page.locator("#save").click();
  return keep(await download);
}

/** Keeps a downloaded file beyond the life of its tab; answers where it lies. */
export async function keep(download: Download): Promise<string> {
  const path = join(ROOT, "build/saved", download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/** Looks into a video with the probe. */
export async function inspect(page: Page, path: string, stride: number): Promise<Report> {
  await page.locator("#file").setInputFiles(path);
  return page.evaluate((n) => window.inspect(n), stride);
}

/** How much two series go together, -1..1. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((sum, v) => sum + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [(a[i] ?? 0) - ma, (b[i] ?? 0) - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb || 1);
}
