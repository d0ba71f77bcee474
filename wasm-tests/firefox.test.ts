// Videos must play elsewhere, too: what the page and the command line save is played in Firefox.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { launch } from "./kit/chromium.js";
import { playInFirefox } from "./kit/firefox.js";
import { PAGE, ROOT, serve } from "./kit/serve.js";
import { choose, expectStatus, openPage, PHOTO, save } from "./kit/studio.js";
import { syllables, wav } from "./kit/wav.js";

const FOLDER = join(ROOT, "build/firefox");
/** Length of the videos, seconds. */
const SECONDS = 1.6;

/** Saves the same recording by the page; answers where the files lie. */
async function byThePage(voice: string): Promise<string[]> {
  const browser = await launch("cpu");
  const served = await serve(PAGE);
  try {
    const { page } = await openPage(browser, served);
    await choose(page, "voice", voice);
    await expectStatus(page, /^Voice: /);
    return [await save(page, "mp4"), await save(page, "webm")];
  } finally {
    await browser.close();
    await served.close();
  }
}

it("plays MP4 and WebM of the page and of the command line in Firefox", async () => {
  mkdirSync(FOLDER, { recursive: true });
  const voice = join(FOLDER, "voice.wav");
  writeFileSync(voice, wav(SECONDS, { rate: 16_000, channels: 1, sample: "s16" }, syllables));
  const native = ["native.mp4", "native.webm"].map((name) => join(FOLDER, name));
  for (const file of native) {
    execFileSync(join(ROOT, "target/release/parlante"), ["animate", PHOTO, voice, "-o", file, "--size", "128"]);
  }
  const files = [...native, ...(await byThePage(voice))];
  const reports = await playInFirefox(files);
  expect(reports).toHaveLength(files.length);
  for (const [i, report] of reports.entries()) {
    const name = files[i] ?? "";
    expect(report.error, name).toBeUndefined();
    expect([report.width, report.height], name).toEqual(native.includes(name) ? [128, 128] : [512, 512]);
    expect(Math.abs(report.duration - SECONDS), `length of ${name}`).toBeLessThan(0.1);
    expect(report.played, `${name} plays to its end`).toBeGreaterThan(SECONDS - 0.1);
    expect(report.range[1] - report.range[0], `${name} shows a picture`).toBeGreaterThan(100);
    expect(report.change, `${name} moves`).toBeGreaterThan(0.2);
    expect(Math.abs(report.sound.duration - SECONDS), `sound of ${name}`).toBeLessThan(0.1);
    expect(report.sound.peak, `${name} is heard`).toBeGreaterThan(0.2);
  }
});
