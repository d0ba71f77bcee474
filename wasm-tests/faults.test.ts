// What goes wrong in a tab: a graphics card that is lost, workers that die, a tab that nobody sees, hundreds of faces.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launch, openWatched } from "./kit/chromium.js";
import { ROOT, type Served, serve } from "./kit/serve.js";

type Options = { backend: "auto" | "cpu" | "webgpu"; size?: number };

/** What is put before the scripts of a test's workers: `undefined` takes the script away. */
let changed: Record<string, string | undefined> = {};
let probe: Served;

beforeAll(async () => {
  probe = await serve(join(ROOT, "build/probe"), {
    before: (path) => {
      const [, name = ""] = /\/assets\/(worker|twin)-[^/]*\.js$/.exec(path) ?? [];
      return name in changed ? changed[name] : "";
    },
  });
});
afterAll(async () => probe?.close());
beforeEach(() => {
  changed = {};
});

/** A face that lives, and what it says of itself: notices, and when it painted. */
async function openFace(page: Page, options: Options, served = probe): Promise<void> {
  await page.goto(served.origin);
  await page.waitForFunction(() => "Parlante" in window);
  await page.route("**/portrait.jpg", (route) => route.fulfill({ path: join(ROOT, "web/page/samples/portrait.jpg") }));
  await page.evaluate(async (wanted) => {
    const canvas = document.querySelector<HTMLCanvasElement>("#face");
    if (canvas === null) throw new Error("no canvas");
    const face = await window.Parlante.create({ canvas, size: 256, ...wanted });
    const told = { face, frames: [] as number[], notices: [] as string[] };
    face.on("frame", ({ at }) => void told.frames.push(at));
    face.on("notice", ({ message }) => void told.notices.push(message));
    Object.assign(window, { told });
    await face.setPortrait("portrait.jpg");
  }, options);
}

interface Told {
  readonly face: import("parlante").Parlante;
  readonly frames: number[];
  readonly notices: string[];
}

/** Waits until so many frames more were painted. */
async function moreFrames(page: Page, count: number): Promise<void> {
  const before = await page.evaluate(() => (window as unknown as { told: Told }).told.frames.length);
  await page.waitForFunction((n) => (window as unknown as { told: Told }).told.frames.length >= n, before + count, {
    timeout: 60_000,
  });
}

const told = (page: Page) =>
  page.evaluate(async () => {
    const { face, notices } = (window as unknown as { told: Told }).told;
    // A busy machine makes the picture smaller, and says so.
    return { ...(await face.inspect()), notices: notices.filter((text) => !text.startsWith("This machine is slow")) };
  });

describe("with WebGPU", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch("webgpu");
  });
  afterAll(async () => browser?.close());

  it("goes on when the graphics card is lost in the middle of a frame: opened again, then with the processor", async () => {
    const { page, context, errors } = await openWatched(browser, probe.origin);
    changed = {
      worker: `const ask = GPUAdapter.prototype.requestDevice;
       self.devices = [];
       GPUAdapter.prototype.requestDevice = async function (...wanted) {
         const device = await ask.apply(this, wanted);
         self.devices.push(device);
         const submit = device.queue.submit.bind(device.queue);
         device.queue.submit = (...work) => { if (self.doomed) { self.doomed = false; device.destroy(); } submit(...work); };
         return device;
       };\n`,
    };
    await openFace(page, { backend: "webgpu" });
    await moreFrames(page, 3);
    expect((await told(page)).backend).toBe("webgpu");
    const worker = page.workers()[0];
    const devices = () => worker?.evaluate(() => (self as unknown as { devices: unknown[] }).devices.length);
    expect(await devices()).toBe(1);
    await worker?.evaluate(() => Object.assign(self, { doomed: true }));
    await expect.poll(devices, { timeout: 30_000 }).toBe(2);
    await moreFrames(page, 3);
    expect(await told(page)).toMatchObject({ backend: "webgpu", notices: [] });
    await worker?.evaluate(() => Object.assign(self, { doomed: true }));
    await expect.poll(async () => (await told(page)).backend, { timeout: 30_000 }).toBe("cpu");
    await moreFrames(page, 3);
    const { reason, notices } = await told(page);
    expect([reason, notices]).toEqual(["lost", [expect.stringContaining("lost")]]);
    expect(errors).toEqual([]);
    await context.close();
  });

  it("runs on a graphics card that can do no more than every WebGPU must", async () => {
    const { page, context, errors } = await openWatched(browser, probe.origin);
    changed = {
      worker: `const ask = GPUAdapter.prototype.requestDevice;
       const own = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "limits").get;
       const least = { maxTextureDimension1D: 8192, maxTextureDimension2D: 8192, maxTextureDimension3D: 2048,
         maxTextureArrayLayers: 256, maxBindGroups: 4, maxBindingsPerBindGroup: 1000,
         maxDynamicUniformBuffersPerPipelineLayout: 8, maxDynamicStorageBuffersPerPipelineLayout: 4,
         maxSampledTexturesPerShaderStage: 16, maxSamplersPerShaderStage: 16, maxStorageBuffersPerShaderStage: 8,
         maxStorageTexturesPerShaderStage: 4, maxUniformBuffersPerShaderStage: 12,
         maxUniformBufferBindingSize: 65536, maxStorageBufferBindingSize: 134217728,
         minUniformBufferOffsetAlignment: 256, minStorageBufferOffsetAlignment: 256, maxVertexBuffers: 8,
         maxBufferSize: 268435456, maxVertexAttributes: 16, maxVertexBufferArrayStride: 2048,
         maxInterStageShaderVariables: 16, maxColorAttachments: 8, maxColorAttachmentBytesPerSample: 32,
         maxComputeWorkgroupStorageSize: 16384, maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupSizeX: 256,
         maxComputeWorkgroupSizeY: 256, maxComputeWorkgroupSizeZ: 64, maxComputeWorkgroupsPerDimension: 65535 };
       Object.defineProperty(GPUAdapter.prototype, "features", { get: () => new Set() });
       Object.defineProperty(GPUAdapter.prototype, "limits", { get() {
         const limits = own.call(this);
         return new Proxy(limits, { get: (all, name) => (name in least ? least[name] : Reflect.get(all, name, all)) });
       } });
       self.refused = [];
       GPUAdapter.prototype.requestDevice = function (wanted = {}) {
         for (const feature of wanted.requiredFeatures ?? []) self.refused.push(feature);
         for (const [name, value] of Object.entries(wanted.requiredLimits ?? {})) {
           const better = name.startsWith("min") ? value < least[name] : value > least[name];
           if (better) self.refused.push(name + " " + value);
         }
         return self.refused.length ? Promise.reject(new TypeError(self.refused.join())) : ask.call(this, wanted);
       };\n`,
    };
    await openFace(page, { backend: "webgpu" });
    await moreFrames(page, 3);
    expect(await page.workers()[0]?.evaluate(() => (self as unknown as { refused: string[] }).refused)).toEqual([]);
    expect((await told(page)).backend).toBe("webgpu");
    expect(errors).toEqual([]);
    await context.close();
  });
});

describe("without WebGPU", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch("cpu");
  });
  afterAll(async () => browser?.close());

  it.each([true, false])("shares frames with a second worker, isolated from other sites: %s", async (isolated) => {
    const served = isolated ? probe : await serve(join(ROOT, "build/probe"), { headers: {} });
    const { page, context, errors } = await openWatched(browser, served.origin);
    await openFace(page, { backend: "cpu" }, served);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(isolated);
    const cores = await page.evaluate(() => navigator.hardwareConcurrency);
    await expect.poll(async () => (await told(page)).threads, { timeout: 30_000 }).toBe(cores > 1 ? 2 : 1);
    await moreFrames(page, 20);
    expect(errors).toEqual([]);
    await context.close();
    if (!isolated) await served.close();
  });

  it("goes on alone when the second worker dies", async () => {
    const { page, context, errors } = await openWatched(browser, probe.origin);
    // It dies with the twentieth frame.
    changed = {
      twin: `let frames = 0;
       addEventListener("message", ({ data }) => {
         if (data.name === "paint" && ++frames === 20) self.close();
       });\n`,
    };
    await openFace(page, { backend: "cpu" });
    await expect.poll(async () => (await told(page)).threads, { timeout: 30_000 }).toBe(2);
    await expect.poll(async () => (await told(page)).threads, { timeout: 30_000 }).toBe(1);
    await moreFrames(page, 10);
    expect((await told(page)).notices).toEqual([]);
    expect(errors).toEqual([]);
    await context.close();
  });

  it("paints with one worker where a second cannot be loaded", async () => {
    const { page, context } = await openWatched(browser, probe.origin);
    changed = { twin: undefined };
    await openFace(page, { backend: "cpu" });
    await moreFrames(page, 20);
    await expect.poll(async () => (await told(page)).threads, { timeout: 30_000 }).toBe(1);
    await moreFrames(page, 10);
    await context.close();
  });

  it("goes on with a new worker, where it was, when the worker is killed", async () => {
    const { page, context, errors } = await openWatched(browser, probe.origin);
    await openFace(page, { backend: "cpu" });
    await page.route("**/speech.mp3", (route) => route.fulfill({ path: join(ROOT, "web/page/samples/speech.mp3") }));
    await page.evaluate(async () => {
      const { face } = (window as unknown as { told: Told }).told;
      await face.setVoice("speech.mp3");
      await face.setBackground("#102030");
      face.controls = { gaze: { x: 12 } };
      await face.play();
    });
    await moreFrames(page, 10);
    const at = await page.evaluate(() => (window as unknown as { told: Told }).told.face.currentTime);
    await page
      .workers()[0]
      ?.evaluate(() => self.close())
      .catch(() => {});
    const notices = () => page.evaluate(() => (window as unknown as { told: Told }).told.notices.join());
    await expect.poll(notices, { timeout: 60_000 }).toContain("a new one goes on");
    await moreFrames(page, 10);
    const { state, second, gaze, background, mine } = await page.evaluate(() => {
      const { face } = (window as unknown as { told: Told }).told;
      const mine = face.canvas === document.querySelector("#face");
      return {
        state: face.state,
        second: face.currentTime,
        gaze: face.controls.gaze.x,
        background: face.background,
        mine,
      };
    });
    expect([gaze, background, mine]).toEqual([12, "#102030", true]);
    if (state === "playing") expect(second, "it did not begin again").toBeGreaterThan(at);
    else expect(state, "it was heard to its end").toBe("idle");
    expect(errors).toEqual([]);
    await context.close();
  });

  it("wakes up at once after its tab was hidden for a minute", async () => {
    const { page, context, errors } = await openWatched(browser, probe.origin);
    // A minute that lasts as long as a test can wait: the clock of the worker jumps.
    changed = {
      worker: `const now = performance.now.bind(performance);
       self.later = 0;
       performance.now = () => now() + self.later;\n`,
    };
    await openFace(page, { backend: "cpu" });
    await moreFrames(page, 10);
    const hide = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { get: () => value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
    const count = () => page.evaluate(() => (window as unknown as { told: Told }).told.frames.length);
    await hide(true);
    await page.waitForTimeout(300);
    const before = await count();
    await page.waitForTimeout(500);
    expect(await count(), "nothing is painted that nobody sees").toBe(before);
    await page.workers()[0]?.evaluate(() => Object.assign(self, { later: 60_000 }));
    await hide(false);
    await moreFrames(page, 10);
    // The minute is not made up for: the first frames come in the time of a few.
    const took = await page.evaluate((n) => {
      const { frames } = (window as unknown as { told: Told }).told;
      return (frames[n + 9] ?? Number.NaN) - (frames[n] ?? Number.NaN);
    }, before);
    expect(took).toBeLessThan(5_000);
    expect(errors).toEqual([]);
    await context.close();
  });

  it("gives everything back: fifty faces, one after another", async () => {
    const { page, context, errors } = await openWatched(browser, probe.origin);
    await openFace(page, { backend: "cpu" });
    await page.evaluate(() => (window as unknown as { told: Told }).told.face.dispose());
    const system = await browser.newBrowserCDPSession();
    const session = await context.newCDPSession(page);
    /** Megabytes of all processes that run pages, once what is not needed is thrown away. */
    const memory = async () => {
      await session.send("HeapProfiler.collectGarbage");
      await page.waitForTimeout(500);
      const { processInfo } = await system.send("SystemInfo.getProcessInfo");
      const pages = processInfo.filter(({ type }) => type === "renderer");
      const status = pages.map(({ id }) => readFileSync(`/proc/${id}/status`, "utf8"));
      return status.reduce((sum, text) => sum + Number(/VmRSS:\s*(\d+)/.exec(text)?.[1] ?? 0) / 1000, 0);
    };
    const more = (times: number) =>
      page.evaluate(async (count) => {
        for (let i = 0; i < count; i++) {
          const canvas = document.createElement("canvas");
          const face = await window.Parlante.create({ canvas, size: 128, backend: "cpu" });
          if (i === 0) await face.setPortrait("portrait.jpg");
          await face.dispose();
        }
      }, times);
    await more(10);
    const first = await memory();
    for (let i = 0; i < 4; i++) await more(10);
    const last = await memory();
    expect(page.workers()).toHaveLength(0);
    // One face alone has a pack of some megabytes, and a module with ten times as much.
    expect(last - first, `${first} MB became ${last} MB`).toBeLessThan(100);
    expect(errors).toEqual([]);
    await context.close();
  });
});
