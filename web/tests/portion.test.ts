import { expect, it } from "vitest";
import { Shares } from "../src/worker/portion.js";

/** Paints frames whose rows cost one worker `first` and the other `second` milliseconds each. */
function paint(shares: Shares, frames: number, first: number, second: number): readonly [number, number] {
  let took: [number, number] = [0, 0];
  for (let i = 0; i < frames; i++) {
    const cut = shares.cut(512);
    took = [cut * first, (512 - cut) * second];
    shares.shared(took[0], took[1], Math.max(...took));
  }
  return took;
}

it("lets both be done at the same time, whoever is slower", () => {
  for (const [first, second] of [
    [0.02, 0.06],
    [0.05, 0.01],
    [0.03, 0.03],
  ] as const) {
    const [a, b] = paint(new Shares(), 60, first, second);
    expect(Math.abs(a - b) / Math.max(a, b), `${a} and ${b} ms`).toBeLessThan(0.08);
  }
});

it("gives everyone some rows, however slow, so that it is seen when that changes", () => {
  const shares = new Shares();
  paint(shares, 200, 0.01, 5);
  expect(shares.cut(512)).toBeLessThanOrEqual(0.9 * 512 + 1);
  paint(shares, 200, 5, 0.01);
  expect(shares.cut(512)).toBeGreaterThanOrEqual(0.1 * 512 - 1);
});

it("ends sharing that saves nothing, after enough frames to tell", () => {
  const shares = new Shares();
  for (let i = 0; i < 5; i++) shares.alone(20);
  for (let i = 0; i < 59; i++) shares.shared(10, 10, 21);
  expect(shares.worth).toBe(true);
  shares.shared(10, 10, 21);
  expect(shares.worth).toBe(false);
  shares.renew();
  for (let i = 0; i < 100; i++) shares.shared(10, 10, 11);
  expect(shares.worth, "nothing is known of one alone").toBe(true);
  shares.alone(20);
  expect(shares.worth).toBe(true);
});
