import { expect, it } from "vitest";
import { latencyOf } from "../src/latency.js";

it("adds up", () => {
  const { total, ...pieces } = latencyOf({ delay: 125, lookAhead: 80, step: 40, lost: 0 }, 0.0125, 9);
  expect(pieces).toEqual({ capture: 12.5, lookAhead: 80, step: 40, jitter: 5, paint: 9 });
  expect(total).toBeCloseTo(Object.values(pieces).reduce((sum, x) => sum + x));
});
