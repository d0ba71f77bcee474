import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { epoch, Pace } from "../src/worker/pace.js";

/** A display of so many frames a second, each up to `late` milliseconds late, until it sleeps. */
function display(rate = 120, late = 0) {
  const screen = { asleep: false };
  const begun = epoch();
  vi.stubGlobal("requestAnimationFrame", (call: FrameRequestCallback) => {
    if (screen.asleep) return 0;
    const frame = Math.floor(((epoch() - begun) * rate) / 1000 + 0.01) + 1;
    const due = (frame * 1000) / rate + late * Math.abs(Math.sin(frame * 12.9898));
    return setTimeout(() => call(performance.now()), begun + due - epoch());
  });
  vi.stubGlobal("cancelAnimationFrame", (handle: number) => clearTimeout(handle));
  return screen;
}

/** When each frame begins, where it takes `cost` milliseconds, for some seconds. */
async function begun(backend: "cpu" | "webgpu", cost = 5, seconds = 1): Promise<number[]> {
  const pace = new Pace();
  const times: number[] = [];
  const end = epoch() + 1000 * seconds;
  while (epoch() < end) {
    const started = epoch();
    times.push(started);
    await vi.advanceTimersByTimeAsync(cost);
    const next = pace.next(backend, started);
    let due = false;
    void next.then(() => {
      due = true;
    });
    while (!due) await vi.advanceTimersByTimeAsync(1);
  }
  return times;
}

/** How many frames begin in a second. */
const frames = async (backend: "cpu" | "webgpu", cost?: number) => (await begun(backend, cost)).length;

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

it.each([60, 75, 90, 120, 144])(
  "keeps an even step with a display of %i frames a second that is not on the dot",
  async (rate) => {
    display(rate, 6);
    const times = await begun("cpu", 15, 20);
    expect(times.length / 20).toBeGreaterThan(28);
    expect(times.length / 20).toBeLessThan(33);
    const between = times.slice(1).map((time, i) => time - (times[i] ?? time));
    expect(between.filter((time) => time > 45).length / between.length).toBeLessThan(0.03);
  },
);

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
