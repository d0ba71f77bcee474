// Firefox, too: it plays what the page and the command line save, and the face lives and speaks in it.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { launch } from "./kit/chromium.js";
import { playInFirefox, runInFirefox } from "./kit/firefox.js";
import { PAGE, ROOT, serve } from "./kit/serve.js";
import { choose, expectStatus, openPage, PHOTO, SPEECH, save } from "./kit/studio.js";
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

/** What the face did in Firefox. */
interface Lived {
  readonly error?: string;
  readonly isolated: boolean;
  readonly backend: string;
  /** The widest opening of the lips' jaw while it idled and while it spoke, and how often that changed. */
  readonly jaw: { readonly idle: number; readonly spoken: number };
  /** Frames of each: idling, speaking a recording, listening to the microphone. */
  readonly frames: { readonly idle: number; readonly spoken: number; readonly live: number };
  /** How far it is behind the microphone, milliseconds. */
  readonly latency: number | null;
  /** How far the sound went ahead of the clock in two seconds, seconds. */
  readonly ahead: number;
}

/** Runs in Firefox. */
const LIFE = `
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const report = { isolated: crossOriginIsolated, jaw: {}, frames: {}, latency: null };
try {
  while (window.Parlante === undefined) await wait(20);
  const canvas = document.createElement("canvas");
  document.body.append(canvas);
  const face = await window.Parlante.create({ canvas, backend: "cpu", size: 128 });
  await face.setPortrait("/photo.jpg");
  await face.setVoice("/speech.mp3");
  let [frames, jaw] = [0, 0];
  face.on("frame", ({ blendshapes }) => {
    frames += 1;
    jaw = Math.max(jaw, blendshapes[17]);
  });
  face.on("stats", ({ latency, backend }) => {
    report.backend = backend;
    if (latency) report.latency = latency.total;
  });
  const stretch = async (name, ms) => {
    [frames, jaw] = [0, 0];
    await wait(ms);
    report.frames[name] = frames;
    report.jaw[name] = jaw;
  };
  await stretch("idle", 1500);
  await face.play();
  await wait(500);
  const [from, begun] = [face.currentTime, performance.now()];
  await stretch("spoken", 2000);
  report.ahead = face.currentTime - from - (performance.now() - begun) / 1000;
  await face.stop();
  await face.speak(await navigator.mediaDevices.getUserMedia({ audio: true }));
  await wait(1500);
  await stretch("live", 2000);
  await face.stop();
} catch (error) {
  report.error = String(error);
}
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
`;

it("lives, speaks and listens in Firefox, on the processor", { retry: 1 }, async () => {
  const more = { "/photo.jpg": PHOTO, "/speech.mp3": SPEECH };
  const lived = await runInFirefox<Lived>(join(ROOT, "build/probe"), LIFE, more);
  console.info(`Firefox: ${JSON.stringify(lived)}`);
  expect(lived.error).toBeUndefined();
  expect(lived.backend).toBe("cpu");
  for (const [name, frames] of Object.entries(lived.frames)) expect(frames, name).toBeGreaterThan(8);
  expect(lived.jaw.spoken).toBeGreaterThan(0.1);
  expect(lived.jaw.idle).toBeLessThan(lived.jaw.spoken / 2);
  expect(Math.abs(lived.ahead), "heard in step with the clock").toBeLessThan(0.3);
  expect(lived.latency, "it knows how far it is behind").toBeGreaterThan(120);
});
