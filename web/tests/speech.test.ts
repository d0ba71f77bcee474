import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { piecesOf, type Samples } from "../src/pcm.js";
import { Speech } from "../src/speech.js";
import { FakeAudio, fakeAudio, LATENCY, pass, realAudio } from "./kit/fake-audio.js";

const RATE = 24_000;

beforeEach(fakeAudio);
afterEach(realAudio);

/** A speech, and what it tells. */
function open() {
  const told: string[] = [];
  const pieces: { at: number; seconds: number }[] = [];
  const failures: unknown[] = [];
  const clocks: { media: number; epoch: number }[] = [];
  const speech = new Speech({
    onOpen: (rate) => void told.push(`open ${rate}`),
    onPiece: ({ length }, at) => void pieces.push({ at, seconds: length / FakeAudio.latest.sampleRate }),
    onClock: (media, epoch) => void clocks.push({ media, epoch }),
    onStart: () => void told.push("start"),
    onEnd: (interrupted) => void told.push(interrupted ? "interrupted" : "end"),
    onRest: () => void told.push("rest"),
    onAsleep: () => void told.push("asleep"),
    onFailure: (error) => void failures.push(error),
  });
  return { speech, told, pieces, failures, clocks };
}

/** Sound in pieces, each after a pause, seconds. */
async function* spoken(pieces: readonly number[], pause = 0, rate = RATE): AsyncGenerator<Samples> {
  for (const seconds of pieces) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    yield new Float32Array(Math.round(seconds * rate));
  }
}

const utterance = (pieces: readonly number[], pause = 0, rate = RATE) => ({
  rate,
  pieces: piecesOf(spoken(pieces, pause, rate)),
});

/** Holes in what is scheduled, seconds. */
function holes(): number[] {
  const { scheduled } = FakeAudio.latest;
  return scheduled.slice(1).map(({ at }, i) => at - (scheduled[i]?.at ?? 0) - (scheduled[i]?.seconds ?? 0));
}

describe("speech", () => {
  it("plays pieces without a gap at their own rate, and tells the face exactly what is heard when", async () => {
    const { speech, told, pieces, clocks } = open();
    await speech.add(utterance([0.02, 0.3, 2, 0.02, 0.5]));
    await pass(2, 0.01);
    expect(FakeAudio.latest.sampleRate).toBe(RATE);
    expect(Math.max(...holes().map(Math.abs))).toBeLessThan(1e-9);
    expect(pieces).toEqual(FakeAudio.latest.scheduled);
    const last = clocks.at(-1);
    const now = performance.timeOrigin + performance.now();
    const heard = (last?.media ?? 0) + (now - (last?.epoch ?? 0)) / 1000;
    expect(heard).toBeCloseTo(FakeAudio.latest.currentTime - LATENCY, 1);
    await pass(2);
    expect(told).toEqual(["open 24000", "start", "end", "rest"]);
    expect(speech.active).toBe(false);
  });

  it("asks for a sound device that went away, and lets the face wait for it", async () => {
    const { speech, told, clocks } = open();
    await speech.add(utterance([1, 1]));
    await pass(1, 0.02);
    const device = FakeAudio.latest;
    const asked = device.resumed;
    device.fallAsleep(true);
    expect(device.resumed).toBe(asked + 1);
    const heard = device.currentTime - LATENCY;
    clocks.length = 0;
    await pass(5, 0.02);
    // The clock is told often enough that a face between two tellings never gets far ahead.
    expect(clocks.length).toBeGreaterThan(100);
    expect(clocks.at(-1)?.media).toBeCloseTo(heard, 1);
    device.taken = false;
    await device.resume();
    await pass(3, 0.02);
    expect(told).toEqual(["open 24000", "start", "asleep", "end", "rest"]);
  });

  it("pulls little ahead of what is heard", async () => {
    const { speech } = open();
    await speech.add(utterance(Array(100).fill(0.2)));
    await pass(3, 0.02);
    const last = FakeAudio.latest.scheduled.at(-1);
    const ahead = (last?.at ?? 0) + (last?.seconds ?? 0) - FakeAudio.latest.currentTime;
    expect(ahead).toBeGreaterThan(1.3);
    expect(ahead).toBeLessThan(2.1);
  });

  it("pauses where sound comes late, and goes on in step", async () => {
    const { speech, told, pieces } = open();
    await speech.add(utterance([0.4, 0.4, 0.4], 1));
    await pass(6, 0.02);
    expect(holes()).toHaveLength(2);
    for (const hole of holes()) expect(hole).toBeGreaterThan(0.4);
    // The face has the sound long enough before it is heard.
    for (const [i, { at }] of pieces.entries()) expect(at - (i + 1)).toBeGreaterThan(0.25);
    expect(told).toEqual(["open 24000", "start", "end", "rest"]);
  });

  it("bears the jitter of a stream in real time", async () => {
    const { speech } = open();
    const jittered = async function* () {
      for (let i = 0; i < 100; i++) {
        await new Promise((resolve) => setTimeout(resolve, i % 5 === 0 ? 120 : 0));
        yield new Float32Array(0.024 * RATE);
      }
    };
    await speech.add({ rate: RATE, pieces: piecesOf(jittered()) });
    await pass(3, 0.02);
    expect(FakeAudio.latest.scheduled).toHaveLength(100);
    expect(Math.max(...holes())).toBeLessThan(1e-6);
  });

  it("says what is queued right after, and flushes when all was heard", async () => {
    const { speech, told } = open();
    let flushed = false;
    await speech.add(utterance([0.5]));
    await speech.add(utterance([0.5]));
    void speech.flush().then(() => {
      flushed = true;
    });
    await pass(0.9, 0.02);
    expect(told).toEqual(["open 24000", "start", "end", "start"]);
    expect(holes()).toHaveLength(1);
    expect(Math.abs(holes()[0] ?? 1)).toBeLessThan(1e-9);
    expect(flushed).toBe(false);
    await pass(1, 0.02);
    expect(told.slice(4)).toEqual(["end", "rest"]);
    expect(flushed).toBe(true);
  });

  it("goes on with one that comes while the last is heard, and opens another device for another rate", async () => {
    const { speech, told } = open();
    await speech.add(utterance([0.5]));
    await pass(0.6, 0.02);
    await speech.add(utterance([0.3], 0, 16_000));
    await pass(2, 0.02);
    expect(told).toEqual(["open 24000", "start", "end", "open 16000", "start", "end", "rest"]);
    expect(FakeAudio.all.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it("falls silent, drops what waits, and lets go of its sources", async () => {
    const { speech, told } = open();
    let left = false;
    const endless = async function* () {
      try {
        for (;;) yield new Float32Array(0.2 * RATE);
      } finally {
        left = true;
      }
    };
    await speech.add({ rate: RATE, pieces: piecesOf(endless()) });
    await speech.add(utterance([1]));
    const flushed = speech.flush();
    await pass(1, 0.02);
    speech.interrupt();
    await flushed;
    expect(told).toEqual(["open 24000", "start", "interrupted"]);
    expect(FakeAudio.latest.stopped).toBe(FakeAudio.latest.scheduled.length);
    const count = FakeAudio.latest.scheduled.length;
    await pass(1, 0.02);
    expect(FakeAudio.latest.scheduled).toHaveLength(count);
    expect(left).toBe(true);
    expect(told).toHaveLength(3);
    // And it can speak again.
    await speech.add(utterance([0.2]));
    await pass(1, 0.02);
    expect(told.slice(3)).toEqual(["open 24000", "start", "end", "rest"]);
  });

  it("tells where a stream fails, and is ready for another", async () => {
    const { speech, told, failures } = open();
    const broken = async function* () {
      yield new Float32Array(0.5 * RATE);
      throw new Error("the line broke");
    };
    await speech.add({ rate: RATE, pieces: piecesOf(broken()) });
    await pass(1, 0.02);
    expect(failures).toEqual([new Error("the line broke")]);
    expect(speech.active).toBe(false);
    await speech.add(utterance([0.2]));
    await pass(1, 0.02);
    expect(told.slice(-3)).toEqual(["start", "end", "rest"]);
  });

  it("asks for a click where the browser wants one, and is ready for another try", async () => {
    const { speech } = open();
    const sleepy = FakeAudio.prototype.resume;
    FakeAudio.prototype.resume = () => new Promise(() => {});
    const refused = expect(speech.add(utterance([1]))).rejects.toMatchObject({ code: "not-ready" });
    await pass(4);
    await refused;
    FakeAudio.prototype.resume = sleepy;
    expect(speech.active).toBe(false);
  });

  it("has nothing to flush in silence", async () => {
    await open().speech.flush();
  });
});
