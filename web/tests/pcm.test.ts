import { describe, expect, it } from "vitest";
import { checkedRate, isSampleStream, piecesOf, type Samples } from "../src/pcm.js";

async function all(source: Samples[]): Promise<number[]> {
  const stream = new ReadableStream<Samples>({
    start(controller) {
      for (const piece of source) controller.enqueue(piece);
      controller.close();
    },
  });
  const pieces = piecesOf(stream);
  const found: number[] = [];
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) found.push(...piece);
  return found;
}

describe("a stream of samples", () => {
  it("may be floating point, 16-bit, or bytes that are cut anywhere", async () => {
    expect(await all([Float32Array.of(0.5, -0.25), Float32Array.of(1)])).toEqual([0.5, -0.25, 1]);
    expect(await all([Int16Array.of(16_384, -32_768)])).toEqual([0.5, -1]);
    const bytes = new Uint8Array(Int16Array.of(16_384, -8192, 1).buffer);
    const wanted = [0.5, -0.25, 1 / 32_768];
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await all([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(wanted);
    }
  });

  it("cannot harm a loudspeaker", async () => {
    expect(await all([Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 7, -7)])).toEqual([0, 0, 1, -1]);
  });

  it("must give samples", async () => {
    await expect(all(["sound" as unknown as Samples])).rejects.toMatchObject({ code: "voice" });
  });

  it("is let go of when nobody wants the rest", async () => {
    let ended = false;
    const endless = async function* () {
      try {
        for (;;) yield new Float32Array(10);
      } finally {
        ended = true;
      }
    };
    const pieces = piecesOf(endless());
    await pieces.next();
    pieces.cancel();
    await Promise.resolve();
    expect(ended).toBe(true);
  });

  it("is told from other sounds", () => {
    expect(isSampleStream(new ReadableStream())).toBe(true);
    expect(isSampleStream({ [Symbol.asyncIterator]: () => {} })).toBe(true);
    for (const other of ["address", new Blob(), undefined, null, new Float32Array(3)]) {
      expect(isSampleStream(other)).toBe(false);
    }
  });

  it.each([undefined, 0, 7999, 200_000, 24_000.5, 44_101, Number.NaN])("needs a rate, which %s is not", (rate) => {
    expect(() => checkedRate(rate)).toThrow(/sampleRate/);
  });

  it.each([8000, 11_025, 22_050, 44_100, 48_000, 192_000])("may have %i samples a second", (rate) => {
    expect(checkedRate(rate)).toBe(rate);
  });
});
