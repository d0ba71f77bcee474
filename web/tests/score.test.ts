import { describe, expect, it } from "vitest";
import { Score } from "../src/worker/score.js";

const RATE = 16_000;
const same = { push: (samples: Float32Array) => samples, free: () => {} };
const read = (score: Score, seconds: number) => {
  const out = new Float32Array(seconds * RATE).fill(9);
  score.read(out);
  return out;
};
/** Seconds of a constant. */
const piece = (seconds: number, value: number) => new Float32Array(seconds * RATE).fill(value);

describe("the score", () => {
  it("puts every piece at its second, and silence between", () => {
    const score = new Score(10, RATE, same);
    score.push(piece(0.1, 1), 10.1);
    score.push(piece(0.1, 2), 10.3);
    expect(score.known).toBe(0.4 * RATE);
    const out = read(score, 0.5);
    const at = (second: number) => out[Math.round(second * RATE)];
    expect([at(0.05), at(0.1), at(0.15), at(0.25), at(0.3), at(0.35), at(0.45)]).toEqual([0, 1, 1, 0, 2, 2, 0]);
    expect(score.known).toBe(0);
    expect(score.at).toBeCloseTo(10.5, 6);
  });

  it("keeps to the clock where a piece comes after its beginning was read", () => {
    const score = new Score(0, RATE, same);
    read(score, 0.2);
    score.push(
      Float32Array.from({ length: 0.3 * RATE }, (_, i) => i),
      0.1,
    );
    const out = read(score, 0.2);
    expect(out[0]).toBe(0.1 * RATE);
    expect(out[0.1 * RATE]).toBe(0.2 * RATE);
  });

  it("joins pieces without a hole where the resampler holds something back", () => {
    let held = 0;
    const slow = {
      // Ten samples are always under way.
      push: (samples: Float32Array) => {
        const give = samples.length + held - 10;
        held = 10;
        return new Float32Array(give).fill(1);
      },
      free: () => {},
    };
    const score = new Score(0, RATE, slow);
    for (let i = 0; i < 5; i++) score.push(piece(0.1, 1), i * 0.1);
    expect(read(score, 0.5).filter((x) => x !== 1)).toHaveLength(10);
  });

  it("can be read once more from a little before", () => {
    const score = new Score(0, RATE, same);
    score.push(piece(1, 1), 0);
    read(score, 1);
    score.seek(0.5);
    expect(score.known).toBe(0.5 * RATE);
    expect(read(score, 0.25)).toEqual(piece(0.25, 1));
  });

  it("does not keep what is long over", () => {
    const score = new Score(0, RATE, same);
    for (let i = 0; i < 100; i++) {
      score.push(piece(0.1, 1), i * 0.1);
      read(score, 0.1);
    }
    score.seek(0);
    expect(read(score, 8).every((x) => x === 0)).toBe(true);
  });
});
