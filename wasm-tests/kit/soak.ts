// A long life with the face in one tab, with everything watched that may grow, stop or drift.

import { readFileSync } from "node:fs";
import type { Browser, CDPSession, Page } from "playwright-core";
import { openWatched } from "./chromium.js";
import type { Served } from "./serve.js";
import { PHOTO } from "./studio.js";

/** Flags with which memory is measured at once, after its garbage was collected. */
export const MEASURES_MEMORY = ["--enable-blink-features=ForceEagerMeasureMemory", "--js-flags=--expose-gc"];

/** What a stretch of the soak left behind. */
export interface Left {
  /** Bytes of the tab and its worker, without garbage. */
  readonly bytes: number;
  /** Bytes of the browser's process for the tab, garbage and all. */
  readonly resident: number;
  /** Nodes of sound that are alive. */
  readonly nodes: number;
}

/** How a stretch of speech went. */
export interface Spoken {
  readonly seconds: number;
  /** Frames a second: the mean, and the slowest second. */
  readonly fps: { readonly mean: number; readonly least: number };
  /**
   * How far the picture is behind what is heard, milliseconds: at the start, at the end, and how far the seconds between
   * strayed from the start at most. Lost sound moves the time of live sound, so that it is counted anew from there: then
   * this is the longest stretch without a loss.
   */
  readonly behind: {
    /** Seconds. */
    readonly stretch: number;
    readonly start: number;
    readonly end: number;
    readonly strayed: number;
  };
  /** Holes in the sound: of the loudspeaker, or seconds of the microphone that were lost. */
  readonly glitches: number;
}

/** What the script in the tab has. */
interface Scope {
  readonly parlante: import("parlante").Parlante;
  readonly photo: Blob;
  /** Sound devices that listen. */
  readonly contexts: AudioContext[];
  /** Holes in the sound of the loudspeaker up to now. */
  holes(): number;
  wait(milliseconds: number): Promise<void>;
  median(values: readonly number[]): number;
  /** Watches frames for some seconds; `heard` is the second that is heard now, by the sound device. */
  watch(seconds: number, heard: () => number): Promise<Omit<Spoken, "glitches">>;
}

declare global {
  interface Window {
    scope: Scope;
  }
}

/** A tab with a face that is about to live long. */
export class Soak {
  private constructor(
    private readonly tab: Page,
    private readonly session: CDPSession,
    private readonly browser: CDPSession,
    private readonly nodes: Set<string>,
    /** Errors that nobody caught, errors on the console, and those that the face tells. */
    readonly errors: string[],
  ) {}

  /** Opens the face at a size in pixels. */
  static async open(browser: Browser, served: Served, size: number): Promise<Soak> {
    const { page: tab, context, errors } = await openWatched(browser, served.origin);
    const session = await context.newCDPSession(tab);
    const nodes = new Set<string>();
    session.on("WebAudio.audioNodeCreated", ({ node }) => void nodes.add(node.nodeId));
    session.on("WebAudio.audioNodeWillBeDestroyed", ({ nodeId }) => void nodes.delete(nodeId));
    await session.send("WebAudio.enable");
    await tab.goto(served.origin);
    await tab.evaluate(prepare, { size, photo: readFileSync(PHOTO).toString("base64") });
    return new Soak(tab, session, await browser.newBrowserCDPSession(), nodes, errors);
  }

  /** What is left now, without garbage. */
  async left(): Promise<Left> {
    for (let i = 0; i < 3; i++) await this.session.send("HeapProfiler.collectGarbage");
    const bytes = await this.tab.evaluate(async () => {
      const measure = (performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> })
        .measureUserAgentSpecificMemory;
      return (await measure.call(performance)).bytes;
    });
    const { processInfo } = await this.browser.send("SystemInfo.getProcessInfo");
    const resident = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => residentOf(id));
    return { bytes, resident: Math.max(...resident), nodes: this.nodes.size };
  }

  /** Goes live and stops again; every third time a recording is played and stopped instead. */
  async starts(count: number): Promise<void> {
    await this.tab.evaluate(async (times) => {
      const { parlante, wait } = window.scope;
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (let i = 0; i < times; i++) {
        if (i % 3 === 2) await parlante.play();
        else await parlante.speak(stream);
        await wait(i % 20);
        await parlante.stop();
      }
      for (const track of stream.getTracks()) track.stop();
    }, count);
  }

  /** Exchanges the portrait again and again. */
  async portraits(count: number): Promise<void> {
    await this.tab.evaluate(async (times) => {
      const { parlante, photo } = window.scope;
      for (let i = 0; i < times; i++) await parlante.setPortrait(photo);
    }, count);
  }

  /** Goes live, and the plug is pulled. */
  async unplugs(count: number): Promise<void> {
    await this.tab.evaluate(async (times) => {
      const { parlante, wait } = window.scope;
      for (let i = 0; i < times; i++) {
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
        await parlante.speak(stream);
        await wait(30);
        for (const track of stream.getTracks()) {
          track.stop();
          // A script's own stop tells nobody, a plug that is pulled does.
          track.dispatchEvent(new Event("ended"));
        }
        while (parlante.state !== "idle") await wait(5);
      }
    }, count);
  }

  /** Speaks with the microphone for some seconds. */
  async live(seconds: number): Promise<Spoken> {
    return this.tab.evaluate(async (length) => {
      const { parlante, contexts, watch, wait } = window.scope;
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const lost: number[] = [];
      const end = parlante.on("stats", (stats) => void lost.push(stats.lost));
      await parlante.speak(stream);
      const context = contexts.find(({ state }) => state === "running");
      if (context === undefined) throw new Error("live sound has no sound device");
      const zero = context.currentTime;
      await wait(3000);
      const before = lost.at(-1) ?? 0;
      const spoken = await watch(length, () => context.currentTime - zero);
      await parlante.stop();
      end();
      for (const track of stream.getTracks()) track.stop();
      return { ...spoken, glitches: ((lost.at(-1) ?? 0) - before) / 1000 };
    }, seconds);
  }

  /** Speaks a recording for some seconds. */
  async recording(seconds: number): Promise<Spoken> {
    return this.tab.evaluate(async (length) => {
      const { parlante, holes, watch, wait } = window.scope;
      await parlante.setVoice(hum(length + 30));
      await parlante.play();
      await wait(3000);
      const before = holes();
      const spoken = await watch(length, () => parlante.currentTime);
      const glitches = holes() - before;
      await parlante.stop();
      await parlante.setVoice(hum(2));
      return { ...spoken, glitches };

      /** A tone in the rhythm of syllables that is never silent, as a WAV file: zeros are holes. */
      function hum(length: number): Blob {
        const rate = 16_000;
        const samples = new Int16Array(Math.round(length * rate));
        for (let i = 0; i < samples.length; i++) {
          const t = i / rate;
          const loud = 0.05 + 0.4 * Math.max(0, Math.sin(4 * Math.PI * t));
          samples[i] = Math.round(32_767 * loud * Math.sin(360 * Math.PI * t)) || 1;
        }
        const head = new DataView(new ArrayBuffer(44));
        const text = (at: number, word: string) =>
          [...word].forEach((c, i) => void head.setUint8(at + i, c.charCodeAt(0)));
        text(0, "RIFF");
        head.setUint32(4, 36 + samples.byteLength, true);
        text(8, "WAVEfmt ");
        head.setUint32(16, 16, true);
        head.setUint16(20, 1, true);
        head.setUint16(22, 1, true);
        head.setUint32(24, rate, true);
        head.setUint32(28, rate * 2, true);
        head.setUint16(32, 2, true);
        head.setUint16(34, 16, true);
        text(36, "data");
        head.setUint32(40, samples.byteLength, true);
        return new Blob([head, samples], { type: "audio/wav" });
      }
    }, seconds);
  }
}

/** Resident memory of a process, bytes. */
function residentOf(id: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"));
  return Number(line?.[1] ?? 0) * 1024;
}

/** Runs in the tab: opens the face, and lays what watches it. */
async function prepare({ size, photo: base64 }: { size: number; photo: string }): Promise<void> {
  const photo = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]);
  const contexts: AudioContext[] = [];
  const Native = AudioContext;
  window.AudioContext = class extends Native {
    constructor(options?: AudioContextOptions) {
      super(options);
      // Those that listen; the loudspeaker's has a rate of its own.
      if (options?.sampleRate === undefined) contexts.push(this);
    }
  };
  let holes = 0;
  const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
    zeros = 0;
    process([[plane]]) {
      for (const x of plane ?? []) {
        if (x === 0) this.zeros += 1;
        else {
          if (this.zeros >= 16 && this.zeros < sampleRate) this.port.postMessage(this.zeros);
          this.zeros = 0;
        }
      }
      return true;
    }
  });`;
  const module = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const connect = AudioNode.prototype.connect as (to: AudioNode) => AudioNode;
  AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode) {
    if (to instanceof AudioDestinationNode) {
      void this.context.audioWorklet.addModule(module).then(() => {
        const tap = new AudioWorkletNode(this.context, "tap");
        tap.port.onmessage = () => void holes++;
        connect.call(this, tap);
      });
    }
    return connect.call(this, to);
  } as AudioNode["connect"];

  const canvas = document.createElement("canvas");
  document.body.append(canvas);
  const parlante = await window.Parlante.create({ canvas, backend: "cpu", size });
  parlante.on("error", ({ message }) => console.error(message));
  await parlante.setPortrait(photo);
  await parlante.setVoice(new AudioBuffer({ length: 48_000, sampleRate: 48_000 }));
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  const watch: Scope["watch"] = async (seconds, heard) => {
    const fps: number[] = [];
    /** For each second the median of how far its frames were behind, in stretches without a loss. */
    const stretches: number[][] = [[]];
    let second: number[] = [];
    let lost = 0;
    let torn = false;
    const ends = [
      parlante.on("stats", (stats) => {
        fps.push(stats.fps);
        torn ||= stats.lost !== lost;
        lost = stats.lost;
      }),
      parlante.on("frame", ({ time }) => void (time !== undefined && second.push((heard() - time) * 1000))),
    ];
    for (let i = 0; i < seconds; i++) {
      await wait(1000);
      if (torn) stretches.push([]);
      else if (second.length > 0) stretches.at(-1)?.push(median(second));
      torn = false;
      second = [];
    }
    for (const end of ends) end();
    const behind = stretches.reduce((longest, one) => (one.length > longest.length ? one : longest));
    const part = Math.min(60, Math.ceil(behind.length / 4));
    const start = median(behind.slice(0, part));
    const strayed = Math.max(...behind.map((x) => Math.abs(x - start)));
    const end = median(behind.slice(-part));
    const mean = fps.reduce((sum, x) => sum + x, 0) / fps.length;
    const drift = { stretch: behind.length, start, end, strayed };
    return { seconds, fps: { mean, least: Math.min(...fps) }, behind: drift };
  };
  window.scope = { parlante, photo, contexts, holes: () => holes, wait, median, watch };
}
