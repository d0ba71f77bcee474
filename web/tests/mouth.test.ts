import { describe, expect, it } from "vitest";
import { BLENDSHAPES } from "../src/blendshapes.js";
import { Hush, openingOf, visemeOf } from "../src/worker/mouth.js";

type Shapes = Partial<Record<(typeof BLENDSHAPES)[number], number>>;
const frame = (shapes: Shapes) => Float32Array.from(BLENDSHAPES, (name) => shapes[name] ?? 0);
const speaking = frame({ jawOpen: 0.4, mouthFunnel: 0.2, mouthSmileLeft: 0.3, eyeBlinkLeft: 1, browInnerUp: 0.5 });

describe("a mouth", () => {
  it("has the shape that its coefficients make", () => {
    const names = (shapes: Shapes) => visemeOf(frame(shapes)).name;
    expect(names({})).toBe("sil");
    expect(names({ jawOpen: 0.35 })).toBe("aa");
    expect(names({ mouthPressLeft: 0.25, mouthPressRight: 0.25, mouthRollLower: 0.1 })).toBe("PP");
    expect(names({ mouthRollLower: 0.3, jawOpen: 0.05 })).toBe("FF");
    expect(names({ mouthPucker: 0.55, mouthFunnel: 0.1 })).toBe("U");
    expect(names({ mouthPucker: 0.5, mouthFunnel: 0.28, jawOpen: 0.25 })).toBe("O");
    expect(names({ mouthStretchLeft: 0.28, mouthStretchRight: 0.28, jawOpen: 0.05 })).toBe("I");
    expect(names({ tongueUp: 0.9, jawOpen: 0.1 })).toBe("DD");
  });

  it("tells weights between 0 and 1, whatever the face does", () => {
    for (const value of [-1, 0, 0.5, 1, 7]) {
      for (const name of BLENDSHAPES) {
        const { weight } = visemeOf(frame({ [name]: value }));
        expect(weight).toBeGreaterThanOrEqual(0);
        expect(weight).toBeLessThanOrEqual(1);
      }
    }
  });

  it("is shut within 50 ms where it is hushed, keeps the rest of the face, and comes back softly", () => {
    const hush = new Hush();
    hush.begin(10);
    const at = (now: number) => {
      const motion = speaking.slice();
      hush.apply(now, motion);
      return motion;
    };
    expect(openingOf(at(10))).toBeCloseTo(openingOf(speaking), 5);
    expect(openingOf(at(10.05))).toBeLessThan(0.1);
    expect(openingOf(at(10.4))).toBeLessThan(0.1);
    for (const name of ["mouthSmileLeft", "eyeBlinkLeft", "browInnerUp"] as const) {
      const place = BLENDSHAPES.indexOf(name);
      expect(at(10.2)[place]).toBe(speaking[place]);
    }
    let before = 0;
    for (let now = 10.45; now < 11; now += 0.04) {
      const opening = openingOf(at(now));
      expect(opening).toBeGreaterThanOrEqual(before - 1e-6);
      expect(opening - before).toBeLessThan(0.4);
      before = opening;
    }
    expect(at(11)).toEqual(speaking);
  });

  it("is let go at once where it is needed again", () => {
    const hush = new Hush();
    hush.begin(10);
    hush.end(10.1);
    const motion = speaking.slice();
    hush.apply(10.4, motion);
    expect(motion).toEqual(speaking);
  });
});
