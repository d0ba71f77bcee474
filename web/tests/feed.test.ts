import { describe, expect, it } from "vitest";
import type { Phones } from "../src/wasm/parlante.js";
import { MotionFeed, type MotionMaker } from "../src/worker/feed.js";
import type { Stream } from "../src/worker/sound.js";

const SAMPLES = 640;

/** Answers, for each frame, the mean of its samples, `latency` frames later than they came. */
class MeanMaker implements MotionMaker {
  readonly width = 1;
  readonly #waiting: number[] = [];
  #sum = 0;
  #filled = 0;

  constructor(private readonly latency: number) {}

  push(samples: Float32Array): Float32Array {
    for (const sample of samples) {
      this.#sum += sample;
      this.#filled += 1;
      if (this.#filled < SAMPLES) continue;
      this.#waiting.push(this.#sum / SAMPLES);
      this.#sum = this.#filled = 0;
    }
    return Float32Array.from(this.#waiting.splice(0, Math.max(0, this.#waiting.length - this.latency)));
  }

  finish(): Float32Array {
    return Float32Array.from(this.#waiting.splice(0));
  }

  followed: string[] = [];

  followPhones(_phones: Phones, from: number): void {
    this.followed.push(`phones from ${from}`);
  }

  followSound(): void {
    this.followed.push("sound");
  }
}

/** Speech whose frame `i` has the value `i`, in pieces of odd length. */
function ramp(from: number, frames: number, closed?: () => void): Stream<Float32Array> {
  const all = new Float32Array(frames * SAMPLES);
  for (let i = 0; i < all.length; i++) all[i] = Math.floor(from * 25) + Math.floor(i / SAMPLES);
  let at = 0;
  return {
    next() {
      if (at >= all.length) return undefined;
      const piece = all.slice(at, at + 777);
      at += 777;
      return piece;
    },
    close: () => closed?.(),
  };
}

const out = new Float32Array(1);
const value = (feed: MotionFeed, second: number) => (feed.at(second, out) ? out[0] : undefined);

function advanceTo(feed: MotionFeed, second: number) {
  for (let i = 0; feed.until < second; i++) {
    if (i > 1000) throw new Error("the feed does not move on");
    feed.advance();
  }
}

describe("motion feed", () => {
  it.each([0, 3, 7])("gives the frame of the asked second, whatever the maker's latency (%i)", (latency) => {
    const feed = new MotionFeed(new MeanMaker(latency));
    feed.begin(ramp(0, 100), 0);
    advanceTo(feed, 3);
    for (const frame of [0, 1, 10, 50]) expect(value(feed, frame / 25)).toBeCloseTo(frame, 4);
  });

  it("follows phones where a voice has them", () => {
    const maker = new MeanMaker(2);
    const feed = new MotionFeed(maker);
    feed.begin(ramp(0, 10), 3, {} as Phones);
    feed.begin(undefined, 0);
    expect(maker.followed).toEqual(["phones from 3", "sound"]);
  });

  it("mixes neighbours between two frames", () => {
    const feed = new MotionFeed(new MeanMaker(2));
    feed.begin(ramp(0, 100), 0);
    advanceTo(feed, 2);
    expect(value(feed, 10.25 / 25)).toBeCloseTo(10.25, 3);
  });

  it("starts a voice in the middle, and drops what was ready before", () => {
    const feed = new MotionFeed(new MeanMaker(3));
    feed.begin(undefined, 0);
    advanceTo(feed, 1);
    feed.begin(ramp(2, 100), 2);
    advanceTo(feed, 3);
    expect(value(feed, 2)).toBeCloseTo(50, 4);
    expect(value(feed, 2.4)).toBeCloseTo(60, 4);
  });

  it("answers nothing before the first frame of a new time line is ready", () => {
    const feed = new MotionFeed(new MeanMaker(6));
    feed.begin(undefined, 0);
    advanceTo(feed, 1);
    feed.begin(ramp(0, 50), 0);
    expect(value(feed, 0)).toBeUndefined();
  });

  it("holds the newest frame where it is too late", () => {
    const feed = new MotionFeed(new MeanMaker(0));
    feed.begin(ramp(0, 100), 0);
    advanceTo(feed, 1);
    const newest = Math.round(feed.until * 25) - 1;
    expect(value(feed, 60)).toBeCloseTo(newest, 4);
  });

  it("goes on with silence after the voice, and closes it once", () => {
    let closed = 0;
    const feed = new MotionFeed(new MeanMaker(0));
    feed.begin(
      ramp(0, 10, () => closed++),
      0,
    );
    advanceTo(feed, 2);
    expect(value(feed, 9 / 25)).toBeCloseTo(9, 4);
    expect(value(feed, 1.5)).toBe(0);
    expect(feed.silent).toBe(true);
    feed.close();
    expect(closed).toBe(1);
  });

  it("needs no more memory for an hour than for a second", () => {
    const feed = new MotionFeed(new MeanMaker(4));
    feed.begin(undefined, 0);
    for (let second = 0; second < 3600; second += 0.2) {
      advanceTo(feed, second + 0.3);
      feed.at(second, out);
    }
    expect(feed.waiting).toBeLessThan(30);
  });

  it("takes speech that comes by itself, in pieces of any length, and goes on from there", () => {
    const feed = new MotionFeed(new MeanMaker(2));
    feed.begin(undefined, 0);
    feed.advance();
    feed.begin(undefined, 0);
    // A piece here does not end with a frame, as the pieces of a microphone.
    for (let frame = 0; frame < 10; frame++) {
      const samples = new Float32Array(SAMPLES).fill(frame);
      feed.hear(samples);
    }
    expect(feed.until).toBeCloseTo(8 / 25, 5);
    expect(value(feed, 5 / 25)).toBeCloseTo(5, 5);
    feed.hear(new Float32Array(100));
    // The loose end is filled up with silence, so that the next time line begins with a whole frame.
    feed.begin(ramp(0, 50), 0);
    advanceTo(feed, 1);
    expect(value(feed, 0.4)).toBeCloseTo(10, 5);
  });
});
