// A face in a tab that a test uses as a program does, and that writes down what it tells.

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { openingOf } from "../../web/src/worker/mouth.js";
import { openWatched } from "./chromium.js";
import type { Served } from "./serve.js";
import { correlation, PHOTO, SPEECH } from "./studio.js";

/** What a test hears of a face. Times are milliseconds of the tab. */
export interface Told {
  readonly events: { readonly at: number; readonly name: string; readonly value?: unknown }[];
  readonly frames: { readonly at: number; readonly time?: number; readonly shapes: number[]; readonly yaw: number }[];
  /** How loud the loudspeaker is, every few milliseconds. */
  readonly levels: { readonly at: number; readonly peak: number }[];
  /** How far it says that it is behind live sound, each second. */
  readonly latencies: import("parlante").Latency[];
}

/** What the script in the tab has. */
export interface Scope {
  readonly parlante: import("parlante").Parlante;
  readonly told: Told;
  /** The sentence at 24 kHz, or a part of it, in pieces of 0.1 s; each comes after a pause, seconds. */
  spoken(from: number, to: number, pause?: number): AsyncGenerator<Float32Array>;
  wait(milliseconds: number): Promise<void>;
}

/** A face that is open. */
export interface OpenFace {
  readonly tab: Page;
  /** Errors that nobody caught, and errors on the console. */
  readonly errors: string[];
  /** Runs a script with the face; answers what was told meanwhile. */
  during(script: (scope: Scope) => Promise<void>): Promise<Told>;
}

/** Opens a face in a tab of the probe that writes down what it tells, and taps the loudspeaker. */
export async function openFace(browser: Browser, served: Served): Promise<OpenFace> {
  const { page: tab, errors } = await openWatched(browser, served.origin);
  await tab.goto(served.origin);
  await tab.evaluate(
    async ({ photo, speech }) => {
      const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      const told: Told = { events: [], frames: [], levels: [], latencies: [] };
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
      parlante.on("stats", ({ latency }) => void (latency && told.latencies.push(latency)));
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
  return { tab, errors, during: (script) => during(tab, script) };
}

async function during(tab: Page, script: (scope: Scope) => Promise<void>): Promise<Told> {
  const scope = await tab.evaluateHandle(() => (window as unknown as { scope: Scope }).scope);
  await scope.evaluate(({ told }) => {
    for (const list of Object.values(told)) list.length = 0;
  });
  await scope.evaluate(script);
  return scope.evaluate(({ told }) => told);
}

/** Between the lips of a frame, centimetres. */
export const opening = ({ shapes }: { shapes: number[] }) => openingOf(Float32Array.from(shapes));
/** The events but for visemes. */
export const names = ({ events }: Told) => events.map(({ name }) => name).filter((name) => name !== "viseme");

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
export function offset(of: Told, to: Told, from: number, until: number): { seconds: number; r: number } {
  const wanted = lips(to, from, until);
  const tried = Array.from({ length: 41 }, (_, i) => (i - 20) * 0.01);
  const all = tried.map((seconds) => ({ seconds, r: correlation(wanted, lips(of, from, until, seconds)) }));
  return all.reduce((best, one) => (one.r > best.r ? one : best));
}
