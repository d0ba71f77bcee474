import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { CaptureTarget } from "../src/capture-worklet.js";
import { sharedSound, sharesMemory } from "../src/ring.js";
import { type Listener, RingSource, type Source, sourceOf } from "../src/worker/source.js";

const RATE = 8000;
const QUANTUM = 128;

/** What the real worklet registered. */
interface Worklet {
  readonly port: { onmessage(event: { data: CaptureTarget }): void };
  process(inputs: Float32Array[][]): boolean;
}
let Worklet: new () => Worklet;

beforeAll(async () => {
  vi.stubGlobal(
    "AudioWorkletProcessor",
    class {
      readonly port = {};
    },
  );
  vi.stubGlobal("sampleRate", RATE);
  vi.stubGlobal("registerProcessor", (_name: string, found: new () => Worklet) => {
    Worklet = found;
  });
  await import("../src/capture-worklet.js");
});

afterAll(() => void vi.unstubAllGlobals());

/** Writes down what a source hands on. */
class Ears implements Listener {
  readonly heard: number[] = [];
  skipped = 0;
  at = 0;
  take(samples: Float32Array, at: number): void {
    this.heard.push(...samples);
    this.at = at;
  }
  skip(samples: number): void {
    this.skipped += samples;
    this.heard.length = 0;
  }
}

/** A worklet that speaks into `to`, sample `n` having the value `n`, modulo a number that floats can tell. */
function speaker(to: CaptureTarget) {
  const worklet = new Worklet();
  worklet.port.onmessage({ data: to });
  let next = 0;
  return {
    worklet,
    value: (n: number) => n % 65_536,
    speak(quanta: number) {
      for (let i = 0; i < quanta; i++) {
        const plane = Float32Array.from({ length: QUANTUM }, (_, j) => (next + j) % 65_536);
        next += QUANTUM;
        worklet.process([[plane]]);
      }
    },
  };
}

/** A message comes when it comes. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

interface Way {
  readonly name: string;
  open(): { target: CaptureTarget; source: Source };
}
const WAYS: Way[] = [
  {
    name: "shared memory",
    open() {
      const shared = sharedSound(RATE);
      return { target: shared, source: sourceOf(shared, RATE) };
    },
  },
  {
    name: "messages",
    open() {
      const { port1, port2 } = new MessageChannel();
      return { target: port1, source: sourceOf(port2, RATE) };
    },
  },
];

describe.each(WAYS)("live sound by $name", ({ open }) => {
  it("arrives whole and in order, however often it is taken", async () => {
    const { target, source } = open();
    const { speak, value } = speaker(target);
    const ears = new Ears();
    let quanta = 0;
    for (let round = 0; round < 60; round++) {
      const count = (round * 7) % 23;
      speak(count);
      quanta += count;
      await settled();
      source.poll(ears);
    }
    expect(ears.skipped).toBe(0);
    // A message is a hundredth of a second: the last one may not be full yet.
    expect(ears.heard.length).toBeGreaterThan(quanta * QUANTUM - RATE / 100);
    expect(ears.heard.every((x, n) => x === value(n))).toBe(true);
    expect(Math.abs(ears.at - Date.now())).toBeLessThan(1000);
    source.close();
  });

  it("is skipped where nobody took it for long, but for the newest", async () => {
    const { target, source } = open();
    const { speak, value } = speaker(target);
    const ears = new Ears();
    const quanta = Math.ceil((RATE * 5) / QUANTUM);
    speak(quanta);
    await settled();
    source.poll(ears);
    const total = ears.skipped + ears.heard.length;
    expect(quanta * QUANTUM - total).toBeLessThan(RATE / 100);
    expect(ears.heard.length).toBeGreaterThan(RATE * 0.4);
    expect(ears.heard.length).toBeLessThanOrEqual(RATE);
    expect(ears.heard.every((x, n) => x === value(ears.skipped + n))).toBe(true);
    source.close();
  });

  it("mixes channels, and falls silent when it is told to", async () => {
    const { target, source } = open();
    const worklet = new Worklet();
    worklet.port.onmessage({ data: target });
    const [left, right] = [new Float32Array(QUANTUM).fill(1), new Float32Array(QUANTUM).fill(-0.5)];
    worklet.process([[left, right]]);
    await settled();
    const ears = new Ears();
    source.poll(ears);
    expect(ears.heard.length).toBeGreaterThan(0);
    expect(ears.heard.every((x) => x === 0.25)).toBe(true);
    worklet.port.onmessage({ data: undefined });
    const before = ears.heard.length;
    for (let i = 0; i < 10; i++) worklet.process([[left]]);
    await settled();
    source.poll(ears);
    expect(ears.heard).toHaveLength(before);
    source.close();
  });
});

it("goes on where the number of samples overflows", () => {
  const shared = sharedSound(RATE);
  Atomics.store(shared.written, 0, -QUANTUM);
  const source = new RingSource(shared, RATE);
  const ears = new Ears();
  const write = (value: number, at: number) => {
    shared.samples.fill(value, at, at + QUANTUM);
    Atomics.store(shared.written, 0, (Atomics.load(shared.written, 0) + QUANTUM) | 0);
  };
  write(1, shared.samples.length - QUANTUM);
  write(2, 0);
  source.poll(ears);
  expect([ears.skipped, ears.heard.length, ears.heard[0], ears.heard.at(-1)]).toEqual([0, 2 * QUANTUM, 1, 2]);
});

it("shares memory only where the page is isolated", () => {
  expect(sharesMemory()).toBe(false);
  vi.stubGlobal("crossOriginIsolated", true);
  expect(sharesMemory()).toBe(true);
});
