import { describe, expect, it } from "vitest";
import { Ear } from "../src/worker/ear.js";
import type { Listener, Source } from "../src/worker/source.js";

const RATE = 48_000;
const PIECE = 0.01;
/** Passes every third sample on: speech is at 16 kHz. */
const third = { push: (samples: Float32Array) => samples.filter((_, i) => i % 3 === 0), free: () => {} };

/** Sound that comes when the test says so. */
class Told implements Source {
  readonly waiting: ((to: Listener) => void)[] = [];
  poll(to: Listener): void {
    for (const tell of this.waiting.splice(0)) tell(to);
  }
  close(): void {}
}

function open() {
  const source = new Told();
  const ear = new Ear(source, RATE, third);
  let speech = 0;
  const skips: number[] = [];
  ear.onSpeech = (samples) => {
    speech += samples.length / 16_000;
  };
  ear.onSkip = (second) => void skips.push(second);
  return { ear, source, skips, speech: () => speech };
}

/** Lets the ear hear until `end`, milliseconds; pieces are late by `late`. Motion is 120 ms behind the speech. */
function listen(
  { ear, source }: { ear: Ear; source: Told },
  start: number,
  end: number,
  late: (piece: number) => number,
  drift = 1,
) {
  const seconds: number[] = [];
  for (let i = 1; start + i * PIECE * 1000 <= end; i++) {
    const now = start + i * PIECE * 1000;
    const at = start + (now - start) * drift + late(i);
    source.waiting.push((to) => to.take(new Float32Array(RATE * PIECE), at));
    ear.hear();
    const second = ear.second(start + (now - start) * drift + late(i), ear.heard - 0.08);
    if (second !== undefined) seconds.push(second);
  }
  return seconds;
}

describe("the ear", () => {
  it("knows nothing before the first sound", () => {
    expect(open().ear.second(1000, 0)).toBeUndefined();
  });

  it("hands everything on, and follows as near as the motion allows", () => {
    const told = open();
    const seconds = listen(told, 5000, 13_000, () => 0);
    expect(told.speech()).toBeCloseTo(8, 3);
    expect(seconds.at(-1)).toBeCloseTo(8 - told.ear.delay, 2);
    // 80 ms of look-ahead and a step of 40: what is more is reserve.
    expect(told.ear.delay).toBeGreaterThanOrEqual(0.12);
    expect(told.ear.delay).toBeLessThan(0.125);
    expect(told.ear.lost).toBe(0);
  });

  it("moves evenly though the pieces come unevenly, and waits longer where it must", () => {
    const told = open();
    const late = (i: number) => ((i * 7919) % 40) as number;
    const seconds = listen(told, 0, 20_000, late).slice(500);
    const at = seconds.map((second, i) => second - ((i + 501) * PIECE + late(i + 501) / 1000));
    // What is shown is the clock less a delay that hardly changes: no jitter of the pieces is left.
    expect(Math.max(...at) - Math.min(...at)).toBeLessThan(0.01);
    expect(told.ear.delay).toBeGreaterThan(0.155);
  });

  it("comes nearer again when the sound comes evenly again, without ever jumping", () => {
    const told = open();
    const late = (i: number) => (i < 1000 ? (i * 7919) % 40 : 0);
    const seconds = listen(told, 0, 30_000, late);
    expect(told.ear.delay).toBeLessThan(0.125);
    const steps = seconds.slice(1).map((second, i) => {
      const passed = PIECE + (late(i + 2) - late(i + 1)) / 1000;
      return (second - (seconds[i] ?? 0)) / passed;
    });
    expect(Math.min(...steps)).toBeGreaterThan(0.949);
    expect(Math.max(...steps)).toBeLessThan(1.051);
  });

  it("stays with a sound device whose clock is slower or faster", () => {
    for (const drift of [1 - 2e-4, 1 + 2e-4]) {
      const told = open();
      const seconds = listen(told, 0, 600_000, () => 0, drift);
      expect(told.ear.heard - (seconds.at(-1) ?? 0), `drift ${drift}`).toBeLessThan(0.14);
      expect(told.ear.heard - (seconds.at(-1) ?? 0), `drift ${drift}`).toBeGreaterThan(0.115);
    }
  });

  it("fills what does not come with silence, so that the face lives on", () => {
    const told = open();
    const { ear } = told;
    listen(told, 0, 1000, () => 0);
    for (let now = 1000; now <= 4000; now += 40) ear.second(now, ear.heard - 0.08);
    expect(told.speech()).toBeGreaterThan(3.7);
    expect(ear.lost).toBeGreaterThan(2.7);
    const before = ear.second(4000, ear.heard - 0.08) ?? 0;
    // The sound comes back: time goes on from here.
    const after = listen(told, 4000, 5000, () => 0).at(-1) ?? 0;
    expect(after - before).toBeGreaterThan(0.9);
    expect(after - before).toBeLessThan(1.4);
  });

  it("begins anew after a night's sleep instead of making up for it", () => {
    const told = open();
    const { ear } = told;
    listen(told, 0, 1000, () => 0);
    const morning = 8 * 3600 * 1000;
    expect(ear.second(morning, ear.heard - 0.08)).toBeCloseTo(morning / 1000 - ear.delay, 3);
    expect(told.speech()).toBeLessThan(2);
    expect(told.skips).toHaveLength(1);
    const seconds = listen(told, morning, morning + 2000, () => 0);
    expect((seconds.at(-1) ?? 0) - (seconds[0] ?? 0)).toBeCloseTo(1.99, 1);
  });

  it("leaves out what a source skipped", () => {
    const told = open();
    listen(told, 0, 1000, () => 0);
    told.source.waiting.push((to) => to.skip(RATE * 2));
    told.ear.hear();
    expect(told.skips[0]).toBeCloseTo(3, 5);
    expect(told.ear.lost).toBeCloseTo(2, 5);
    expect(told.speech()).toBeCloseTo(1, 5);
  });
});
