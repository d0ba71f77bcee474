// A short life with the face: what is started is stopped, what is made is let go of. `npm run soak` lives on for longer.

import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchHearing } from "./kit/chromium.js";
import { spokenFile } from "./kit/own.js";
import { ROOT, type Served, serve } from "./kit/serve.js";
import { MEASURES_MEMORY, Soak } from "./kit/soak.js";
import { syllables } from "./kit/wav.js";

/** Memory may grow by this, bytes. */
const GROWTH = 5e6;

let browser: Browser;
let served: Served;
let soak: Soak;

beforeAll(async () => {
  served = await serve(join(ROOT, "build/probe"));
  browser = await launchHearing(spokenFile("syllables.wav", 4, syllables), MEASURES_MEMORY);
  soak = await Soak.open(browser, served, 128);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

it("leaves nothing behind: starts and stops, other portraits, plugs that are pulled", async () => {
  const rounds = async (times: number) => {
    await soak.starts(10 * times);
    await soak.portraits(times);
    await soak.unplugs(3 * times);
  };
  // What is made once and kept.
  await rounds(2);
  const before = await soak.left();
  await rounds(3);
  const after = await soak.left();
  console.info(`after 30 starts, 3 portraits, 9 unplugs: ${JSON.stringify({ before, after })}`);
  expect(after.bytes - before.bytes).toBeLessThan(GROWTH);
  expect(after.nodes).toBeLessThanOrEqual(before.nodes);
  expect(soak.errors).toEqual([]);
});
