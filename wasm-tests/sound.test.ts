// Sound of every kind, and browsers that want a click before there is any.

import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch } from "./kit/chromium.js";
import { openFace, opening } from "./kit/face.js";
import { ROOT, type Served, serve } from "./kit/serve.js";

let browser: Browser;
let served: Served;

beforeAll(async () => {
  served = await serve(join(ROOT, "build/probe"));
  browser = await launch("cpu");
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** Makes sound devices stay asleep until they are `allowed`, as browsers do where nobody clicked: a test always counts as a click. */
async function keepAsleep(tab: Page, allowed: boolean): Promise<void> {
  await tab.evaluate((free) => {
    const scope = window as unknown as { free: boolean; patched?: true };
    scope.free = free;
    if (scope.patched) return;
    scope.patched = true;
    const { resume } = AudioContext.prototype;
    const state = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, "state");
    AudioContext.prototype.resume = function (this: AudioContext) {
      return scope.free ? resume.call(this) : new Promise<void>(() => {});
    };
    Object.defineProperty(AudioContext.prototype, "state", {
      get(this: AudioContext) {
        return scope.free ? state?.get?.call(this) : "suspended";
      },
    });
  }, allowed);
}

it("asks for a click where the browser wants one, and goes on with it; hears every rate", { retry: 1 }, async () => {
  const { tab, errors, during } = await openFace(browser, served);
  const play = () =>
    tab.evaluate(async () => {
      const { scope, recording } = window as unknown as { scope: import("./kit/face.js").Scope; recording: Blob };
      await scope.parlante.setVoice(recording);
      return scope.parlante.play().then(
        () => scope.parlante.state,
        ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
      );
    });
  await keepAsleep(tab, false);
  expect(await play()).toBe("not-ready: The browser wants a click before it makes sound. Please press play again.");
  await keepAsleep(tab, true);
  expect(await play()).toBe("playing");

  for (const rate of [8_000, 22_050, 44_100, 96_000, 192_000]) {
    await tab.evaluate((hertz) => void Object.assign(window, { hertz }), rate);
    const told = await during(async ({ parlante, wait }) => {
      const { hertz, recording } = window as unknown as { hertz: number; recording: Blob };
      const context = new AudioContext({ sampleRate: hertz });
      const buffer = await context.decodeAudioData(await recording.arrayBuffer());
      const source = new AudioBufferSourceNode(context, { buffer });
      await parlante.speak(source);
      source.start();
      await wait(2500);
      await parlante.stop();
      await context.close();
    });
    const lips = told.frames.filter(({ time }) => time !== undefined).map(opening);
    expect(Math.max(...lips), `${rate} hertz`).toBeGreaterThan(0.3);
    const waits = told.latencies.map(({ jitter }) => jitter);
    expect(Math.min(...waits), `${rate} hertz`).toBeLessThan(60);
  }
  expect(errors).toEqual([]);
});
