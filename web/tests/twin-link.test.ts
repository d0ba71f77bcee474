import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type FromTwin, type ToTwin, TwinLink } from "../src/worker/twin-link.js";

/** A second worker that does what a test tells it. */
class FakeWorker {
  onmessage: ((event: { data: FromTwin }) => void) | null = null;
  onerror: ((event: { preventDefault(): void }) => void) | null = null;
  ended = false;
  readonly heard: ToTwin[] = [];

  postMessage(what: ToTwin, transfer: Transferable[]): void {
    this.heard.push(structuredClone(what, { transfer }));
  }

  terminate(): void {
    this.ended = true;
  }

  say(answer: FromTwin): void {
    this.onmessage?.({ data: answer });
  }

  /** The last frame that was asked for. */
  get asked(): Extract<ToTwin, { name: "paint" }> {
    const last = this.heard.at(-1);
    if (last?.name !== "paint") throw new Error("no frame was asked for");
    return last;
  }
}

const motion = new Float32Array([1, 2]);
let worker: FakeWorker;
let link: TwinLink;

beforeEach(() => {
  vi.useFakeTimers();
  worker = new FakeWorker();
  link = new TwinLink(worker as unknown as Worker, {} as WebAssembly.Module, new Uint8Array(4));
});

afterEach(() => void vi.useRealTimers());

it("is asked for frames only once it has prepared the portrait at their size", () => {
  link.setPortrait(new Uint8Array(4));
  expect(link.readyFor(64)).toBe(false);
  expect(link.readyFor(64)).toBe(false);
  expect(
    worker.heard.map(({ name }) => name),
    "asked once",
  ).toEqual(["open", "portrait", "size"]);
  worker.say({ name: "ready", size: 64, memory: 9 });
  expect(link.readyFor(64)).toBe(true);
  expect(link.readyFor(32)).toBe(false);
  // Ready for what was wanted before: too late.
  worker.say({ name: "ready", size: 64, memory: 9 });
  expect(link.readyFor(32)).toBe(false);
  link.setPortrait(new Uint8Array(4));
  expect(link.readyFor(64)).toBe(false);
});

it("hands the same memory to and fro", async () => {
  for (let i = 0; i < 3; i++) {
    const frame = link.paint(motion, 8, 5);
    const { pixels, top, size } = worker.asked;
    expect([top, size, pixels.byteLength]).toEqual([5, 8, 8 * 8 * 4]);
    new Uint8Array(pixels)[0] = 7 + i;
    worker.say({ name: "painted", pixels, milliseconds: 3 });
    const portion = await frame;
    expect(portion?.milliseconds).toBe(3);
    expect(new Uint8Array(portion?.pixels ?? new ArrayBuffer(0))[0]).toBe(7 + i);
  }
  const again = link.paint(motion, 8, 5);
  expect(new Uint8Array(worker.asked.pixels)[0], "what came back went out again").toBe(9);
  worker.say({ name: "painted", pixels: worker.asked.pixels, milliseconds: 3 });
  await again;
});

it("is given up when it does not answer, fails, or cannot be loaded", async () => {
  const frame = link.paint(motion, 8, 5);
  await vi.advanceTimersByTimeAsync(600);
  expect([await frame, link.alive, worker.ended]).toEqual([undefined, false, true]);
  expect(await link.paint(motion, 8, 5), "and is not asked again").toBeUndefined();

  for (const end of [
    (it: FakeWorker) => it.say({ name: "failed" }),
    (it: FakeWorker) => it.onerror?.({ preventDefault() {} }),
  ]) {
    const other = new FakeWorker();
    const second = new TwinLink(other as unknown as Worker, {} as WebAssembly.Module, new Uint8Array(4));
    const pending = second.paint(motion, 8, 5);
    end(other);
    expect([await pending, second.alive, other.ended, second.readyFor(8)]).toEqual([undefined, false, true, false]);
  }
});
