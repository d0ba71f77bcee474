import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Player } from "../src/player.js";
import type { SoundChunk } from "../src/protocol.js";
import { FakeAudio, fakeAudio, LATENCY, pass, realAudio } from "./kit/fake-audio.js";

beforeEach(fakeAudio);
afterEach(realAudio);

/** A player of `seconds` of sound in pieces of a quarter of a second. */
function playerOf(seconds: number) {
  const clocks: { media: number; epoch: number }[] = [];
  const asked: (number | undefined)[] = [];
  let at = 0;
  let ended = 0;
  let asleep = 0;
  const sound = async (from: number | undefined): Promise<SoundChunk | undefined> => {
    asked.push(from);
    if (from !== undefined) at = from;
    if (at >= seconds) return undefined;
    at += 0.25;
    return { planes: [new Float32Array(12_000)] };
  };
  const player = new Player({
    sound,
    onClock: (media, epoch) => void clocks.push({ media, epoch }),
    onEnd: () => void ended++,
    onAsleep: () => void asleep++,
    onFailure: (error) => {
      throw error;
    },
  });
  return { player, clocks, asked, ends: () => ended, sleeps: () => asleep };
}

describe("player", () => {
  it("schedules the pieces without a gap, and only a little ahead", async () => {
    const { player } = playerOf(20);
    await player.play(0);
    await pass(4);
    const { scheduled, currentTime } = FakeAudio.latest;
    for (const [i, piece] of scheduled.slice(1).entries()) {
      const before = scheduled[i];
      expect(piece.at).toBeCloseTo((before?.at ?? 0) + (before?.seconds ?? 0), 6);
    }
    const last = scheduled.at(-1);
    const ahead = (last?.at ?? 0) + (last?.seconds ?? 0) - currentTime;
    expect(ahead).toBeGreaterThan(0.8);
    expect(ahead).toBeLessThan(1.7);
  });

  it("tells which second is heard when, with the device's latency", async () => {
    const { player, clocks } = playerOf(20);
    await player.play(3);
    await pass(1);
    const first = FakeAudio.latest.scheduled[0]?.at ?? 0;
    const heardNow = 3 + FakeAudio.latest.currentTime - LATENCY - first;
    expect(player.second).toBeCloseTo(heardNow, 3);
    const clock = clocks.at(-1);
    const now = performance.timeOrigin + performance.now();
    expect((clock?.media ?? 0) + (now - (clock?.epoch ?? 0)) / 1000).toBeCloseTo(heardNow, 2);
  });

  it("says that the sound device went away, only while something is heard, and knows where it was", async () => {
    const { player, sleeps } = playerOf(20);
    await player.play(3);
    await pass(2);
    const { second } = player;
    FakeAudio.latest.fallAsleep();
    expect(sleeps()).toBe(1);
    player.stop();
    await pass(60);
    expect(player.second).toBeCloseTo(second, 2);
    FakeAudio.latest.fallAsleep();
    expect(sleeps()).toBe(1);
    await player.play(player.second);
    await pass(1);
    expect(player.second).toBeGreaterThan(second + 0.8);
  });

  it("says once that it is over, when the last sample was heard", async () => {
    const { player, ends } = playerOf(1);
    await player.play(0);
    await pass(0.9);
    expect(ends()).toBe(0);
    await pass(0.6);
    expect(ends()).toBe(1);
    await pass(1);
    expect(ends()).toBe(1);
  });

  it("stops at once and remembers where", async () => {
    const { player, asked } = playerOf(20);
    await player.play(0);
    await pass(2);
    const second = player.second;
    player.stop();
    const count = asked.length;
    await pass(2);
    expect(player.second).toBeCloseTo(second, 6);
    expect(asked).toHaveLength(count);
    expect(FakeAudio.latest.stopped).toBe(FakeAudio.latest.scheduled.length);
  });

  it("goes on from now, with its clock, when it was late", async () => {
    const { player } = playerOf(20);
    await player.play(0);
    // The machine sleeps: no timer runs while the device's clock goes on.
    FakeAudio.latest.currentTime += 5;
    await pass(0.3);
    const late = FakeAudio.latest.scheduled.find(({ at }) => at > 4.9);
    expect(late?.at).toBeGreaterThanOrEqual(5);
    expect(player.second).toBeLessThan(2);
  });

  it("limits the volume", () => {
    const { player } = playerOf(1);
    player.volume = 7;
    expect(player.volume).toBe(1);
    player.volume = -1;
    expect(player.volume).toBe(0);
  });
});
