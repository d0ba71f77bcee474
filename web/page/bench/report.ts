// What was measured, as numbers: the same names as those of `npm run bench -- --json`.

import type { Cost, EngineInfo, Frame, NetworkCost, Profile, Took } from "parlante";

/** Frames of motion a second: as many different ones can be shown. */
const MOTION_FPS = 25;

/** Milliseconds of a stage. */
export interface Stage {
  readonly name: StageName;
  readonly ms_p50: number;
  readonly ms_p95: number;
  readonly ms_p99: number;
  /** Counted for the parts of a frame only. */
  readonly gflop: null;
  readonly mbytes: null;
}
export type StageName = "fetch" | "module" | "pack" | "portrait" | keyof Took | "frame";

/** Milliseconds of what is done once. */
export interface Start {
  readonly fetch: number;
  readonly portrait: number;
  /** All of it, up to the first frame. */
  readonly all: number;
}

/** Everything that was measured. */
export interface Report {
  readonly backend: string;
  readonly reason: string;
  readonly measured_ms: { readonly cpu: number; readonly webgpu: number } | null;
  readonly size: number;
  readonly threads: number;
  /** Frames that could be made in a second if nothing else were to do. */
  readonly decode_fps: number;
  readonly decoder_gflop_per_frame: number;
  readonly peak_rss_mb: null;
  /** Frames that were shown in a second. */
  readonly fps: number;
  /** From frame to frame, milliseconds. */
  readonly interval_ms: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly frames: number;
  /** Frames of motion of which nothing was shown, and their share of all. */
  readonly dropped: number;
  readonly dropped_share: number;
  readonly cold_start_ms: number;
  readonly module_mb: number;
  readonly memory_mb: number;
  readonly cores: number;
  readonly isolated: boolean;
  readonly browser: string;
  readonly stages: readonly Stage[];
  /** What a core can do at most. */
  readonly roof: Profile["roof"];
  /** Parts of a frame, by one worker. */
  readonly frame_stages: readonly Cost[];
  readonly network_operations: readonly NetworkCost[];
}

/** The value below which a share of the values lies; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? 0;
}

/** Milliseconds from each frame to the next. */
export function intervals(frames: readonly Frame[]): number[] {
  return frames.slice(1).map((frame, i) => frame.at - (frames[i]?.at ?? frame.at));
}

/**
 * How many frames of motion were due while frames were painted, and of how many of them nothing was seen. Where the time
 * of the sound goes back, it began again.
 */
export function dropped(frames: readonly Frame[]): { readonly due: number; readonly dropped: number } {
  let [due, dropped] = [0, 0];
  let before: number | undefined;
  for (const { time } of frames) {
    if (time === undefined) continue;
    const now = Math.floor(time * MOTION_FPS);
    const step = before === undefined || now < before ? 1 : now - before;
    due += step;
    dropped += Math.max(0, step - 1);
    before = now;
  }
  return { due, dropped };
}

function stage(name: StageName, values: readonly number[]): Stage {
  const [ms_p50, ms_p95, ms_p99] = [0.5, 0.95, 0.99].map((share) => rounded(percentile(values, share))) as [
    number,
    number,
    number,
  ];
  return { name, ms_p50, ms_p95, ms_p99, gflop: null, mbytes: null };
}

const rounded = (value: number) => Math.round(value * 100) / 100;

/** What the browser says of itself. */
export type Machine = Pick<Report, "cores" | "isolated" | "browser">;

/** Puts everything together. `frames`: those that were painted while a voice was heard. */
export function report(
  frames: readonly Frame[],
  info: EngineInfo,
  profile: Profile,
  start: Start,
  machine: Machine,
): Report {
  const between = intervals(frames);
  const took = (name: keyof Took) => frames.map((frame) => frame.took[name]);
  const making = frames.map(({ took: { plan, paint, wait } }) => plan + paint + wait);
  const whole = frames.map(({ took: { motion, plan, paint, wait, show } }) => motion + plan + paint + wait + show);
  const lost = dropped(frames);
  const p = (share: number) => rounded(percentile(between, share));
  return {
    backend: info.backend,
    reason: info.reason,
    measured_ms: info.measured ?? null,
    size: info.size,
    threads: info.threads,
    decode_fps: rounded(1000 / Math.max(0.01, percentile(making, 0.5))),
    decoder_gflop_per_frame: profile.parts.reduce((sum, { gflop }) => sum + gflop, 0),
    peak_rss_mb: null,
    fps: rounded((1000 * between.length) / Math.max(1, (frames.at(-1)?.at ?? 0) - (frames[0]?.at ?? 0))),
    interval_ms: { p50: p(0.5), p95: p(0.95), p99: p(0.99) },
    frames: frames.length,
    dropped: lost.dropped,
    dropped_share: lost.due === 0 ? 0 : Math.round((1e4 * lost.dropped) / lost.due) / 1e4,
    cold_start_ms: rounded(start.all),
    module_mb: rounded(info.module / 1e6),
    memory_mb: rounded(info.memory / 1e6),
    ...machine,
    stages: [
      stage("fetch", [start.fetch]),
      stage("module", [info.opened.module]),
      stage("pack", [info.opened.pack]),
      stage("portrait", [start.portrait]),
      stage("motion", took("motion")),
      stage("plan", took("plan")),
      stage("paint", took("paint")),
      stage("wait", took("wait")),
      stage("show", took("show")),
      stage("frame", whole),
    ],
    roof: profile.roof,
    frame_stages: profile.parts,
    network_operations: profile.networks,
  };
}
