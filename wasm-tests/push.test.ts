// The face speaks what a program pushes: in step with what is heard, one after another, and silent at once when it must.

import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BLENDSHAPES } from "../web/src/blendshapes.js";
import { launch } from "./kit/chromium.js";
import { names, type OpenFace, offset, openFace, opening, type Scope } from "./kit/face.js";
import { ROOT, type Served, serve } from "./kit/serve.js";

let browser: Browser;
let served: Served;
let tab: Page;
let errors: string[];
let during: OpenFace["during"];

beforeAll(async () => {
  served = await serve(join(ROOT, "build/probe"));
  browser = await launch("cpu");
  ({ tab, errors, during } = await openFace(browser, served));
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

describe("pushed sound", () => {
  it("moves the lips as the same recording does, at the moment it is heard", async () => {
    const recorded = await during(async ({ parlante, wait }) => {
      await parlante.setVoice((window as unknown as { recording: Blob }).recording);
      await parlante.play();
      await wait(4000);
      await parlante.stop();
    });
    const pushed = await during(async ({ parlante, spoken }) => {
      await parlante.speak(spoken(0, 3.6), { sampleRate: 24_000 });
      await parlante.flush();
    });
    const { seconds, r } = offset(pushed, recorded, 0.4, 3);
    console.info(
      `pushed lips are ${(seconds * 1000).toFixed(0)} ms behind those of the recording, r = ${r.toFixed(3)}`,
    );
    expect(r).toBeGreaterThan(0.85);
    expect(Math.abs(seconds)).toBeLessThanOrEqual(0.04);
    expect(names(pushed)).toEqual(["start", "end", "idle"]);
    const visemes = new Set(pushed.events.flatMap(({ value }) => (value as { name?: string } | undefined)?.name ?? []));
    expect(visemes.size, [...visemes].join(" ")).toBeGreaterThanOrEqual(4);
    expect(errors).toEqual([]);
  });

  it("falls silent and shuts the mouth within 100 ms", async () => {
    const waits: { mouth: number; sound: number }[] = [];
    for (let time = 0; time < 3; time++) {
      const script = async ({ parlante, told, spoken, wait }: Scope) => {
        await parlante.speak(spoken(0, 8), { sampleRate: 24_000 });
        await wait(1500 + Math.random() * 700);
        told.events.push({ at: performance.now(), name: "cut" });
        await parlante.interrupt();
        await wait(500);
      };
      const told = await during(script);
      const cut = told.events.find(({ name }) => name === "cut")?.at ?? 0;
      expect(
        Math.max(...told.levels.filter(({ at }) => at < cut && at > cut - 500).map(({ peak }) => peak)),
      ).toBeGreaterThan(0.02);
      const open = told.frames.filter(({ at }) => at > cut).findLast((frame) => opening(frame) > 0.12);
      const loud = told.levels.findLast(({ at, peak }) => at > cut && peak > 0.002);
      waits.push({ mouth: (open?.at ?? cut) - cut, sound: (loud?.at ?? cut) - cut });
      expect(names(told).slice(-3), "the end is told").toEqual(["cut", "end", "idle"]);
      expect(told.events.find(({ name }) => name === "end")?.value).toEqual({ interrupted: true });
      // Alive nevertheless.
      expect(new Set(told.frames.slice(-5).map(({ yaw }) => yaw)).size).toBeGreaterThan(1);
    }
    console.info(`interrupted: ${JSON.stringify(waits)} ms until the mouth is shut and the sound is gone`);
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[1];
    expect(median(waits.map(({ mouth }) => mouth))).toBeLessThanOrEqual(100);
    expect(median(waits.map(({ sound }) => sound))).toBeLessThanOrEqual(100);
  });

  it("says queued sounds one after another without a jump of the face, and bears late pieces", async () => {
    const told = await during(async ({ parlante, spoken, wait }) => {
      await parlante.speak(spoken(0, 1), { sampleRate: 24_000 });
      // The second comes in a quarter of real time at its end.
      await parlante.speak(spoken(1, 1.5, 0.4), { sampleRate: 24_000, queue: true });
      await parlante.flush();
      await wait(500);
    });
    expect(names(told)).toEqual(["start", "end", "start", "end", "idle"]);
    const place = BLENDSHAPES.indexOf("jawOpen");
    const moving = told.frames.map(({ shapes }) => shapes[place] ?? 0);
    expect(Math.max(...moving)).toBeGreaterThan(0.05);
    // Degrees a second of the head, and no frame is missing for long.
    const speeds = told.frames.slice(1).map(({ at, yaw }, i) => {
      const before = told.frames[i];
      return Math.abs(yaw - (before?.yaw ?? 0)) / Math.max(0.03, (at - (before?.at ?? 0)) / 1000);
    });
    expect(Math.max(...speeds), "the head does not jump").toBeLessThan(40);
    const gaps = told.frames.slice(1).map(({ at }, i) => at - (told.frames[i]?.at ?? 0));
    expect(Math.max(...gaps), "the face stays alive").toBeLessThan(400);
    expect(errors).toEqual([]);
  });

  it("takes the place of what is spoken, unless it is queued", async () => {
    const told = await during(async ({ parlante, spoken, wait }) => {
      await parlante.speak(spoken(0, 5), { sampleRate: 24_000 });
      await wait(700);
      await parlante.speak((window as unknown as { recording: Blob }).recording);
      await wait(900);
      await parlante.interrupt();
    });
    expect(names(told)).toEqual(["start", "end", "start", "end", "idle"]);
  });

  it("says what is wrong with a sound", async () => {
    const failures = await tab.evaluate(async () => {
      const { parlante, spoken } = (window as unknown as { scope: Scope }).scope;
      const code = (work: Promise<unknown>) =>
        work.then(
          () => "none",
          (error: { code: string }) => error.code,
        );
      const noRate = await code(parlante.speak(spoken(0, 1)));
      const noSound = await code(parlante.speak(new Blob(["words"])));
      return [noRate, noSound, parlante.state];
    });
    expect(failures).toEqual(["argument", "voice", "idle"]);
  });
});
