import { describe, expect, it } from "vitest";
import { Ear } from "../src/worker/ear.js";

const RATE = 48_000;
const PIECE = 0.01;
/** Passes every third sample on: speech is at 16 kHz. */
const third = { push: (samples: Float32Array) => samples.filter((_, i) => i % 3 === 0), free: () => {} };

function open() {
  const { port1 } = new MessageChannel();
  const ear = new Ear(port1, RATE, third);
  let speech = 0;
  ear.onSpeech = (samples) => {
    speech += samples.length / 16_000;
  };
  return { ear, speech: () => speech, close: () => ear.close() };
}

/** Lets the ear hear until `end`, milliseconds; pieces are late by `late`. Motion is 120 ms behind the speech. */
function listen(ear: Ear, start: number, end: number, late: (piece: number) => number, drift = 1) {
  const seconds: number[] = [];
  for (let i = 1; start + i * PIECE * 1000 <= end; i++) {
    const now = start + i * PIECE * 1000;
    ear.hear({ samples: new Float32Array(RATE * PIECE), at: start + (now - start) * drift + late(i) });
    const second = ear.second(start + (now - start) * drift + late(i), ear.heard - 0.08);
    if (second !== undefined) seconds.push(second);
  }
  return seconds;
}

describe("the ear", () => {
  it("knows nothing before the first sound", () => {
    const { ear, close } = open();
    expect(ear.second(1000, 0)).toBeUndefined();
    close();
  });

  it("hands everything on, and follows within a fifth of a second", () => {
    const { ear, speech, close } = open();
    const seconds = listen(ear, 5000, 8000, () => 0);
    expect(speech()).toBeCloseTo(3, 3);
    expect(seconds.at(-1)).toBeCloseTo(3 - ear.delay, 2);
    expect(ear.delay).toBeLessThan(0.2);
    close();
  });

  it("moves evenly though the pieces come unevenly, and waits longer where it must", () => {
    const { ear, close } = open();
    const late = (i: number) => ((i * 7919) % 40) as number;
    const seconds = listen(ear, 0, 20_000, late).slice(500);
    const at = seconds.map((second, i) => second - ((i + 501) * PIECE + late(i + 501) / 1000));
    // What is shown is the clock less a delay that hardly changes: no jitter of the pieces is left.
    expect(Math.max(...at) - Math.min(...at)).toBeLessThan(0.02);
    close();
  });

  it("stays with a sound device whose clock is slower or faster", () => {
    for (const drift of [1 - 2e-4, 1 + 2e-4]) {
      const { ear, close } = open();
      const seconds = listen(ear, 0, 600_000, () => 0, drift);
      expect(ear.heard - (seconds.at(-1) ?? 0), `drift ${drift}`).toBeLessThan(0.2);
      expect(ear.heard - (seconds.at(-1) ?? 0), `drift ${drift}`).toBeGreaterThan(0.12);
      close();
    }
  });

  it("fills what does not come with silence, so that the face lives on", () => {
    const { ear, speech, close } = open();
    listen(ear, 0, 1000, () => 0);
    for (let now = 1000; now <= 4000; now += 40) ear.second(now, ear.heard - 0.08);
    expect(speech()).toBeGreaterThan(3.7);
    const before = ear.second(4000, ear.heard - 0.08) ?? 0;
    // The sound comes back: time goes on from here.
    const after = listen(ear, 4000, 5000, () => 0).at(-1) ?? 0;
    expect(after - before).toBeGreaterThan(0.9);
    expect(after - before).toBeLessThan(1.4);
    close();
  });
});
