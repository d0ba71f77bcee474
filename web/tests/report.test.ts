import type { EngineInfo, Frame, Profile } from "parlante";
import { expect, it } from "vitest";
import { dropped, intervals, percentile, report } from "../page/bench/report.js";

/** A frame that was painted at millisecond `at`, of second `time` of the sound. */
const frame = (at: number, time: number | undefined): Frame => ({
  ...{ at, time, blendshapes: new Float32Array(53), gaze: { x: 0, y: 0 } },
  head: { yaw: 0, pitch: 0, roll: 0, x: 0, y: 0, scale: 1 },
  took: { motion: 1, plan: 2, paint: 10, wait: 3, show: 1 },
});

const info: EngineInfo = {
  ...{ backend: "cpu", reason: "only", measured: undefined, threads: 2, size: 512, module: 4e6, memory: 9e7 },
  opened: { module: 700, pack: 90 },
};

const cost = (name: string) => ({ name, ms_p50: 2, gflop: 0.02, mbytes: 3, of_roofline: 0.5 });

const profile: Profile = {
  roof: { gflop_per_second: 20, gb_per_second: 40 },
  parts: [cost("plan"), cost("raster")],
  networks: [{ network: "lips", ms: 2, operations: [cost("conv2d [1, 2]")] }],
};

const machine = { cores: 2, isolated: true, browser: "a browser" };

it("finds percentiles", () => {
  expect(percentile([], 0.5)).toBe(0);
  expect(percentile([5, 1, 3], 0.5)).toBe(3);
  const hundred = Array.from({ length: 101 }, (_, i) => 100 - i);
  expect([0.5, 0.95, 0.99].map((share) => percentile(hundred, share))).toEqual([50, 95, 99]);
});

it("counts frames of motion of which nothing was seen", () => {
  expect(dropped([])).toEqual({ due: 0, dropped: 0 });
  const at = (seconds: number[]) => seconds.map((second) => frame(second * 1000, second));
  expect(dropped(at([0.01, 0.05, 0.07, 0.09, 0.13]))).toEqual({ due: 4, dropped: 0 });
  expect(dropped(at([0.01, 0.05, 0.17, 0.21]))).toEqual({ due: 6, dropped: 2 });
  expect(dropped([frame(0, undefined), ...at([0.05])])).toEqual({ due: 1, dropped: 0 });
  expect(dropped(at([0.05, 0.17, 0.01, 0.05])), "it began again").toEqual({ due: 6, dropped: 2 });
});

it("puts together what was measured", () => {
  const frames = Array.from({ length: 31 }, (_, i) => frame(1e12 + i * 40, i * 0.04 + 0.01));
  expect(intervals(frames)).toEqual(Array(30).fill(40));
  const result = report(frames, info, profile, { fetch: 100, portrait: 2000, all: 3000 }, machine);
  expect(result).toMatchObject({
    ...{ backend: "cpu", size: 512, threads: 2, fps: 25, frames: 31, dropped: 0, dropped_share: 0 },
    ...{ decode_fps: 66.67, interval_ms: { p50: 40, p95: 40, p99: 40 }, cold_start_ms: 3000, module_mb: 4 },
  });
  expect(result.decoder_gflop_per_frame).toBeCloseTo(0.04);
  expect(result).toMatchObject({
    frame_stages: profile.parts,
    network_operations: profile.networks,
    roof: profile.roof,
  });
  const stages = Object.fromEntries(result.stages.map(({ name, ms_p50 }) => [name, ms_p50]));
  expect(stages).toEqual({
    ...{ fetch: 100, module: 700, pack: 90, portrait: 2000 },
    ...{ motion: 1, plan: 2, paint: 10, wait: 3, show: 1, frame: 17 },
  });
  expect(JSON.parse(JSON.stringify(result))).toEqual(result);
});
