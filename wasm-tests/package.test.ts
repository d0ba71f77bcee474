// The tarball of `npm pack` in a plain Vite app somewhere else: a stranger's first five minutes.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, openWatched } from "./kit/chromium.js";
import { ROOT, type Served, serve } from "./kit/serve.js";
import { PHOTO, SPEECH } from "./kit/studio.js";

let browser: Browser;
let served: Served;
let app: string;

const INDEX = `<!doctype html><link rel="icon" href="data:,"><canvas id="face"></canvas>
<script type="module" src="/main.js"></script>`;

const MAIN = `import { Parlante } from "parlante";
const parlante = await Parlante.create({ canvas: document.querySelector("#face"), size: 256 });
const portrait = await parlante.setPortrait("/portrait.jpg");
const voice = await parlante.setVoice("/speech.mp3");
parlante.volume = 0.5;
await parlante.play();
await new Promise((resolve) => setTimeout(resolve, 1000));
const at = parlante.currentTime;
await parlante.pause();
window.result = { portrait, voice, at, state: parlante.state };`;

const npm = (...args: string[]) =>
  execFileSync("npm", ["--loglevel=error", ...args], {
    cwd: app,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });

beforeAll(async () => {
  app = mkdtempSync(join(tmpdir(), "parlante-app-"));
  execFileSync("npm", ["pack", "--pack-destination", app, "--loglevel=error"], { cwd: ROOT, stdio: "ignore" });
  const tarball = readdirSync(app).find((name) => name.endsWith(".tgz"));
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  writeFileSync(join(app, "index.html"), INDEX);
  writeFileSync(join(app, "main.js"), MAIN);
  npm("install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`, "vite@8");
  execFileSync("mkdir", ["-p", join(app, "public")]);
  copyFileSync(PHOTO, join(app, "public/portrait.jpg"));
  copyFileSync(SPEECH, join(app, "public/speech.mp3"));
  npm("exec", "--", "vite", "build", "--logLevel", "warn");
  served = await serve(join(app, "dist"));
  browser = await launch("cpu");
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
  if (app) rmSync(app, { recursive: true, force: true });
});

it("speaks there with nothing but its public API", async () => {
  const { page, foreign, errors } = await openWatched(browser, served.origin);
  await page.goto(served.origin);
  const handle = await page.waitForFunction(() => (window as unknown as { result?: Result }).result, undefined, {
    timeout: 60_000,
  });
  const result = (await handle.jsonValue()) as Result;
  expect(result.portrait.faces).toBe(1);
  expect(result.voice.duration).toBeGreaterThan(1);
  expect(result.at).toBeGreaterThan(0.3);
  expect(result.state).toBe("paused");
  expect(errors).toEqual([]);
  expect(foreign).toEqual([]);
});

interface Result {
  readonly portrait: { readonly faces: number };
  readonly voice: { readonly duration: number };
  readonly at: number;
  readonly state: string;
}
