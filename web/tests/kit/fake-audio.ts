import { vi } from "vitest";

/** From the start of a sound to the ear, seconds. */
export const LATENCY = 0.03;

/** What was scheduled: when, and how long it lasts. */
export type Scheduled = { at: number; seconds: number };

/** Enough of Web Audio to see what is scheduled when; its clock is the test's. */
export class FakeAudio extends EventTarget {
  static latest: FakeAudio;
  static all: FakeAudio[] = [];
  currentTime = 0;
  state = "suspended";
  closed = false;
  taken = false;
  resumed = 0;
  readonly destination = {};
  readonly scheduled: Scheduled[] = [];
  readonly sampleRate: number;
  stopped = 0;

  constructor({ sampleRate = 48_000 }: { sampleRate?: number } = {}) {
    super();
    this.sampleRate = sampleRate;
    FakeAudio.latest = this;
    FakeAudio.all.push(this);
  }

  createGain() {
    const nothing = () => {};
    const gain = {
      ...{ value: 1, setTargetAtTime: nothing, setValueAtTime: nothing },
      ...{ linearRampToValueAtTime: nothing, cancelScheduledValues: nothing },
    };
    return { gain, connect() {}, disconnect() {} };
  }

  createBuffer(_channels: number, frames: number, rate: number) {
    return { seconds: frames / rate, copyToChannel() {} };
  }

  createBufferSource() {
    const source = {
      buffer: { seconds: 0 },
      connect() {},
      start: (at: number) => void this.scheduled.push({ at, seconds: source.buffer.seconds }),
      stop: () => void this.stopped++,
    };
    return source;
  }

  getOutputTimestamp() {
    return { contextTime: this.currentTime - LATENCY, performanceTime: performance.now() };
  }

  async resume() {
    this.resumed += 1;
    if (this.taken) return;
    this.state = "running";
  }

  /** The system takes the sound device away; with `taken` it does not give it back. */
  fallAsleep(taken = false): void {
    this.taken = taken;
    this.state = "suspended";
    this.dispatchEvent(new Event("statechange"));
  }

  async close() {
    this.closed = true;
  }
}

/** Puts the fake in place of the browser's. */
export function fakeAudio(): void {
  vi.useFakeTimers();
  FakeAudio.all.length = 0;
  vi.stubGlobal("AudioContext", FakeAudio);
}

/** The end of {@link fakeAudio}. */
export function realAudio(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

/** Lets time pass, for the sound device and for the timers alike. */
export async function pass(seconds: number, step = 0.1): Promise<void> {
  for (let left = seconds; left > 1e-9; left -= step) {
    const time = Math.min(step, left);
    for (const context of FakeAudio.all) if (context.state === "running") context.currentTime += time;
    await vi.advanceTimersByTimeAsync(time * 1000);
  }
}
