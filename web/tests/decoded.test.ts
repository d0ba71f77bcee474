import { describe, expect, it } from "vitest";
import { decodedRecording } from "../src/worker/decoded.js";
import type { Stream } from "../src/worker/sound.js";

const counting = (length: number) => Float32Array.from({ length }, (_, i) => i);

function all<T>(stream: Stream<T>): T[] {
  const pieces: T[] = [];
  for (let piece = stream.next(); piece !== undefined; piece = stream.next()) pieces.push(piece);
  return pieces;
}

describe("a recording that the browser decoded", () => {
  const recording = decodedRecording({ planes: [counting(96_000), counting(96_000)], mono: counting(32_000) });

  it("knows its length and channels", () => {
    expect(recording.info).toEqual({ duration: 2, channels: 2 });
  });

  it("hands out every sample once, in order", () => {
    const heard = all(recording.sound(0));
    expect(heard.flatMap(([left]) => [...(left ?? [])])).toEqual([...counting(96_000)]);
    expect(all(recording.mono(0)).flatMap((piece) => [...piece])).toEqual([...counting(32_000)]);
  });

  it("starts at any second", () => {
    expect(recording.sound(1.5).next()?.[1]?.[0]).toBe(72_000);
    expect(recording.mono(1.5).next()?.[0]).toBe(24_000);
  });

  it.each([2, 99])("is at its end at second %f", (second) => {
    expect(recording.sound(second).next()).toBeUndefined();
  });

  it("hands out copies that may be given away", () => {
    const first = recording.sound(0).next()?.[0];
    first?.fill(-1);
    expect(recording.sound(0).next()?.[0]?.[1]).toBe(1);
  });

  it("refuses an empty one", () => {
    expect(() => decodedRecording({ planes: [], mono: new Float32Array(0) })).toThrow(/empty/);
  });
});
