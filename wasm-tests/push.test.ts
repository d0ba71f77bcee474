// The face speaks what a program pushes: in step with what is heard, one after another, and silent at once when it must.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BLENDSHAPES } from "../web/src/blendshapes.js";
import { openingOf } from "../web/src/worker/mouth.js";
import { launch, openWatched } from "./kit/chromium.js";
import { ROOT, type Served, serve } from "./kit/serve.js";
import { correlation, PHOTO, SPEECH } from "./kit/studio.js";

/** What a test hears of a face. Times are milliseconds of the tab. */
interface Told {
  readonly events: { readonly at: number; readonly name: string; readonly value?: unknown }[];
  readonly frames: { readonly at: number; readonly time?: number; readonly shapes: number[]; readonly yaw: number }[];
  /** How loud the loudspeaker is, every few milliseconds. */
  readonly levels: { readonly at: number; readonly peak: number }[];
}

/** What the script in the tab has. */
interface Scope {
  readonly parlante: import("parlante").Parlante;
  readonly told: Told;
  /** The sentence at 24 kHz, or a part of it, in pieces of 0.1 s; each comes after a pause, seconds. */
  spoken(from: number, to: number, pause?: number): AsyncGenerator<Float32Array>;
  wait(milliseconds: number): Promise<void>;
}

let browser: Browser;
let served: Served;
let tab: Page;
let errors: string[];

/** Opens a face in a tab that writes down what it tells, and taps the loudspeaker. */
async function open(): Promise<void> {
  const watched = await openWatched(browser, served.origin);
  tab = watched.page;
  errors = watched.errors;
  await tab.goto(served.origin);
  await tab.evaluate(
    async ({ photo, speech }) => {
      const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      const told: Told = { events: [], frames: [], levels: [] };
      const connect = AudioNode.prototype.connect as (to: AudioNode) => AudioNode;
      AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode) {
        if (to instanceof AudioDestinationNode) tap(this);
        return connect.call(this, to);
      } as AudioNode["connect"];
      const tap = (node: AudioNode) => {
        const analyser = new AnalyserNode(node.context, { fftSize: 256 });
        connect.call(node, analyser);
        const samples = new Float32Array(256);
        setInterval(() => {
          analyser.getFloatTimeDomainData(samples);
          told.levels.push({ at: performance.now(), peak: samples.reduce((m, x) => Math.max(m, Math.abs(x)), 0) });
        }, 5);
      };
      const canvas = document.createElement("canvas");
      document.body.append(canvas);
      const parlante = await window.Parlante.create({ canvas, backend: "cpu", size: 128 });
      await parlante.setPortrait(new Blob([bytes(photo)]));
      for (const name of ["start", "end", "idle", "viseme", "error"] as const) {
        parlante.on(name, (value: unknown) => void told.events.push({ at: performance.now(), name, value }));
      }
      parlante.on("frame", ({ time, blendshapes, head }) => {
        const shapes = [...blendshapes];
        told.frames.push({ at: performance.now(), ...(time !== undefined && { time }), shapes, yaw: head.yaw });
      });
      const sound = await new OfflineAudioContext(1, 1, 24_000).decodeAudioData(bytes(speech).buffer);
      const samples = sound.getChannelData(0);
      const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
      const spoken = async function* (from: number, to: number, pause = 0) {
        for (let at = from; at < to; at += 0.1) {
          if (pause > 0) await wait(pause * 1000);
          yield samples.slice(Math.round(at * 24_000), Math.round((at + 0.1) * 24_000));
        }
      };
      const speech48 = new Blob([bytes(speech)]);
      Object.assign(window, { scope: { parlante, told, spoken, wait }, recording: speech48 });
    },
    { photo: readFileSync(PHOTO).toString("base64"), speech: readFileSync(SPEECH).toString("base64") },
  );
}

/** Runs a script with the face; answers what was told meanwhile. */
async function during(script: (scope: Scope) => Promise<void>): Promise<Told> {
  const scope = await tab.evaluateHandle(() => (window as unknown as { scope: Scope }).scope);
  await scope.evaluate(({ told }) => {
    for (const list of Object.values(told)) list.length = 0;
  });
  await scope.evaluate(script);
  return scope.evaluate(({ told }) => told);
}

const opening = ({ shapes }: { shapes: number[] }) => openingOf(Float32Array.from(shapes));
const names = ({ events }: Told) => events.map(({ name }) => name).filter((name) => name !== "viseme");

/** The lips at 50 moments of a second, as they were shown. */
function lips({ frames }: Told, from: number, to: number, shift = 0): number[] {
  const shown = frames.filter(({ time }) => time !== undefined);
  const found: number[] = [];
  for (let second = from; second < to; second += 0.02) {
    const after = shown.findIndex(({ time = 0 }) => time >= second + shift);
    const [a, b] = [shown[Math.max(0, after - 1)], shown[after]];
    if (a === undefined || b === undefined) throw new Error(`nothing was shown at ${second}`);
    const share = (second + shift - (a.time ?? 0)) / ((b.time ?? 0) - (a.time ?? 0) || 1);
    found.push(opening(a) * (1 - share) + opening(b) * share);
  }
  return found;
}

/** How far one curve is behind another, seconds, and how much they go together then. */
function offset(of: Told, to: Told, from: number, until: number): { seconds: number; r: number } {
  const wanted = lips(to, from, until);
  const tried = Array.from({ length: 41 }, (_, i) => (i - 20) * 0.01);
  const all = tried.map((seconds) => ({ seconds, r: correlation(wanted, lips(of, from, until, seconds)) }));
  return all.reduce((best, one) => (one.r > best.r ? one : best));
}

beforeAll(async () => {
  served = await serve(join(ROOT, "build/probe"));
  browser = await launch("cpu");
  await open();
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
