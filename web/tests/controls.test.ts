import { describe, expect, it } from "vitest";
import { DEFAULT_CONTROLS, withChange } from "../src/controls.js";
import { ParlanteError } from "../src/errors.js";

describe("controls", () => {
  it("keeps what a change does not name", () => {
    const changed = withChange(DEFAULT_CONTROLS, { gaze: { x: 12 }, emotion: { happy: 0.5 } });
    expect(changed.gaze).toEqual({ x: 12, y: 0 });
    expect(changed.emotion).toEqual({ ...DEFAULT_CONTROLS.emotion, happy: 0.5 });
    expect(changed.distance).toBe(1);
  });

  it("moves every value into its range", () => {
    const changed = withChange(DEFAULT_CONTROLS, {
      gaze: { x: 400, y: -400 },
      distance: 9,
      liveliness: -1,
      articulation: 0,
      headMotion: 3,
      listening: -0.1,
      blinkRate: 100,
      pose: { yaw: 99, roll: -99 },
      seed: 2.6,
      emotion: { sad: 7 },
    });
    expect(changed.gaze).toEqual({ x: 30, y: -30 });
    expect(changed.distance).toBe(1.4);
    expect(changed.liveliness).toBe(0);
    expect(changed.articulation).toBe(0.5);
    expect([changed.headMotion, changed.listening, changed.blinkRate]).toEqual([2, 0, 60]);
    expect(changed.pose).toEqual({ yaw: 30, pitch: 0, roll: -30 });
    expect(changed.seed).toBe(3);
    expect(changed.emotion.sad).toBe(1);
  });

  it("does not change the controls it was given", () => {
    const before = structuredClone(DEFAULT_CONTROLS);
    withChange(DEFAULT_CONTROLS, { emotion: { happy: 1 }, gaze: { y: 3 } });
    expect(DEFAULT_CONTROLS).toEqual(before);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, "3" as unknown as number])("refuses %s", (distance) => {
    expect(() => withChange(DEFAULT_CONTROLS, { distance })).toThrow(ParlanteError);
  });
});
