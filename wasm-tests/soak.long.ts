// The long soak: `npm run soak`. Its lengths come from there; what it found is printed and written down.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { launchHearing } from "./kit/chromium.js";
import { spokenFile } from "./kit/own.js";
import { ROOT, serve } from "./kit/serve.js";
import { type Left, MEASURES_MEMORY, Soak } from "./kit/soak.js";
import { syllables } from "./kit/wav.js";

/** Memory may grow by this, bytes; sound and picture may drift apart by this, milliseconds. */
const GROWTH = 5e6;
const DRIFT = 20;

const asked = JSON.parse(process.env.SOAK ?? "{}") as Partial<Record<string, number>>;
const { minutes = 30, size = 512, starts = 1000, portraits = 100, unplugs = 50 } = asked;
const half = minutes * 30;
const found: Record<string, unknown> = { minutes, size, starts, portraits, unplugs };

/** Writes down what was found up to now, so that nothing is lost where the soak breaks off. */
function note(name: string, value: unknown): void {
  found[name] = value;
  const path = join(ROOT, "build/soak.json");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(found, undefined, 2)}\n`);
  console.info(`${name}: ${JSON.stringify(value)}`);
}

it("lives long", async () => {
  const served = await serve(join(ROOT, "build/probe"));
  const browser = await launchHearing(spokenFile("syllables.wav", 4, syllables), MEASURES_MEMORY);
  try {
    const soak = await Soak.open(browser, served, size);
    const grown = async (name: string, before: Left, work: () => Promise<void>) => {
      await work();
      const after = await soak.left();
      const grew = { bytes: after.bytes - before.bytes, resident: after.resident - before.resident };
      note(name, { grew, after });
      expect.soft(after.bytes - before.bytes, name).toBeLessThan(GROWTH);
      expect.soft(after.nodes, name).toBeLessThanOrEqual(before.nodes);
    };
    // What is made once and kept.
    await soak.starts(30);
    await soak.unplugs(3);
    await soak.portraits(3);
    await soak.live(10);
    await soak.recording(10);
    const before = await soak.left();
    note("start", before);
    await grown("memory after speaking", before, async () => {
      for (const way of ["live", "recording"] as const) {
        const spoken = await soak[way](half);
        note(way, spoken);
        expect.soft(spoken.glitches, `${way}: glitches`).toBe(0);
        const { start, end, strayed } = spoken.behind;
        expect.soft(Math.abs(end - start), `${way}: drift, ms`).toBeLessThanOrEqual(DRIFT);
        expect.soft(strayed, `${way}: strayed, ms`).toBeLessThanOrEqual(3 * DRIFT);
      }
    });
    await grown("memory after starts", before, () => soak.starts(starts));
    await grown("memory after portraits", before, () => soak.portraits(portraits));
    await grown("memory after unplugs", before, () => soak.unplugs(unplugs));
    expect(soak.errors).toEqual([]);
  } finally {
    await browser.close();
    await served.close();
  }
});
