import { EMOTIONS } from "parlante";
import { describe, expect, it } from "vitest";
import { AROUND, moodsAt, placeOf, placeOnRim } from "../page/moods.js";

const total = (moods: Readonly<Record<string, number>>) => Object.values(moods).reduce((sum, x) => sum + x, 0);

describe("the mood pad", () => {
  it("has a place for every mood", () => {
    expect([...AROUND].sort()).toEqual([...EMOTIONS].sort());
  });

  it("is calm in the middle", () => {
    expect(total(moodsAt(0, 0))).toBe(0);
    expect(placeOf(moodsAt(0, 0))).toEqual({ x: 0, y: 0 });
  });

  it.each(EMOTIONS)("is fully %s at its place, and no other", (mood) => {
    const { x, y } = placeOnRim(mood);
    expect(moodsAt(x, y)[mood]).toBeCloseTo(1, 1);
    expect(total(moodsAt(x, y))).toBeCloseTo(1, 1);
    // Beyond the rim it is no more than that.
    expect(total(moodsAt(3 * x, 3 * y))).toBeCloseTo(1, 1);
  });

  it("goes from one mood to the next without a step", () => {
    let last = moodsAt(0, -0.8);
    for (let i = 1; i <= 360; i++) {
      const angle = (i / 180) * Math.PI;
      const now = moodsAt(0.8 * Math.sin(angle), -0.8 * Math.cos(angle));
      for (const mood of EMOTIONS) expect(Math.abs(now[mood] - last[mood])).toBeLessThan(0.035);
      expect(Object.values(now).filter((x) => x > 0).length).toBeLessThanOrEqual(2);
      last = now;
    }
  });

  it("shows moods where they come from, to a few degrees", () => {
    for (let i = 0; i < 100; i++) {
      const [angle, far] = [i * 0.7, 0.2 + (i % 8) / 10];
      const [x, y] = [far * Math.sin(angle), far * Math.cos(angle)];
      const place = placeOf(moodsAt(x, y));
      expect(Math.hypot(place.x - x, place.y - y)).toBeLessThan(0.08);
    }
  });
});
