import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { epoch, nextFrame } from "../src/worker/pace.js";

/** A display of 120 frames a second, until it sleeps. */
function display() {
  const screen = { asleep: false };
  vi.stubGlobal("requestAnimationFrame", (call: FrameRequestCallback) =>
    screen.asleep ? 0 : setTimeout(() => call(performance.now()), 1000 / 120),
  );
  vi.stubGlobal("cancelAnimationFrame", (handle: number) => clearTimeout(handle));
  return screen;
}

/** Frames that take `cost` milliseconds each in a second. */
async function frames(backend: "cpu" | "webgpu", cost = 5): Promise<number> {
  let count = 0;
  const end = epoch() + 1000;
  while (epoch() < end) {
    const started = epoch();
    await vi.advanceTimersByTimeAsync(cost);
    const next = nextFrame(backend, started);
    let due = false;
    void next.then(() => {
      due = true;
    });
    while (!due) await vi.advanceTimersByTimeAsync(1);
    count += 1;
  }
  return count;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("paints as often as the display shows something on a graphics card", async () => {
  display();
  expect(await frames("webgpu")).toBeGreaterThan(60);
});

it("leaves the processor time for the page", async () => {
  display();
  const count = await frames("cpu");
  expect(count).toBeGreaterThanOrEqual(28);
  expect(count).toBeLessThanOrEqual(31);
});

it("loses no time with the display where frames take long", async () => {
  display();
  expect(await frames("cpu", 31)).toBeGreaterThanOrEqual(28);
  expect(await frames("cpu", 38)).toBeGreaterThanOrEqual(25);
});

it("goes on where nothing is displayed, and where no display can be asked", async () => {
  display().asleep = true;
  expect(await frames("webgpu")).toBeGreaterThanOrEqual(9);
  vi.unstubAllGlobals();
  expect(await frames("webgpu")).toBeGreaterThanOrEqual(28);
});
