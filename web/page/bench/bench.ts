// How fast the face is on this machine: the sample portrait speaks the sample sentence, and every frame is timed.

import { type Cost, type Frame, Parlante } from "parlante";
import { el, make } from "../elements.js";
import { type Key, number, show, t } from "../language.js";
import { offerLanguages, startLanguage } from "../languages.js";
import { backendIn, sizeIn } from "../settings.js";
import { notify, say, sayError } from "../status.js";
import { percent } from "../text.js";
import { intervals, type Report, report, type StageName, type Start } from "./report.js";

/** Measured for so long, seconds. */
const SECONDS = 10;
/** What is not counted at first, seconds: sound and shares have to settle. */
const SETTLE = 1;
/** A slow machine makes the picture smaller, and is measured again at that size; it ends after so long, seconds. */
const LONGEST = 45;
/** Operations that are listed. */
const LISTED = 12;
/** Milliseconds of the plot's height. */
const TALLEST = 100;

const button = el<HTMLButtonElement>("measure");

await startLanguage();
offerLanguages({ change() {} });
try {
  const opened = performance.now();
  let fetched = opened;
  const parlante = await Parlante.create({
    canvas: el<HTMLCanvasElement>("face"),
    backend: backendIn(location.search),
    size: sizeIn(location.search),
    onProgress: () => {
      fetched = performance.now();
    },
  });
  parlante.on("error", sayError);
  parlante.on("notice", notify);
  const asked = performance.now();
  await parlante.setPortrait(new URL("../samples/portrait.jpg", import.meta.url));
  const shown = performance.now();
  const start: Start = { fetch: fetched - opened, portrait: shown - asked, all: shown - opened };
  await parlante.setVoice(new URL("../samples/speech.mp3", import.meta.url));
  say("bench.ready");
  button.disabled = false;
  button.onclick = () => void measure(parlante, start).catch(sayError);
} catch (error) {
  sayError(error);
}

/** Lets the face speak and times its frames. */
async function measure(parlante: Parlante, start: Start): Promise<void> {
  button.disabled = true;
  let frames: Frame[] = [];
  let size = 0;
  let left = SECONDS;
  let from = Number.POSITIVE_INFINITY;
  const begin = () => {
    frames = [];
    left = SECONDS + SETTLE;
    from = performance.timeOrigin + performance.now() + SETTLE * 1000;
  };
  const ends = [
    parlante.on("frame", (frame) => {
      // While the sentence begins again, the face idles for a moment.
      if (frame.at >= from && frame.time !== undefined) frames.push(frame);
    }),
    parlante.on("stats", (stats) => {
      if (size !== 0 && stats.size !== size) begin();
      size = stats.size;
    }),
    parlante.on("end", ({ interrupted }) => {
      if (!interrupted) void parlante.play().catch(sayError);
    }),
  ];
  try {
    await parlante.play();
    begin();
    for (let second = 0; left > 0 && second < LONGEST; second++, left--) {
      say(() => t("bench.running", { seconds: left }));
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  } finally {
    for (const end of ends) end();
    button.disabled = false;
  }
  await parlante.stop();
  const { hardwareConcurrency: cores, userAgent: browser } = navigator;
  const machine = { cores, isolated: crossOriginIsolated, browser };
  const info = await parlante.inspect();
  say("bench.profiling");
  present(report(frames, info, await parlante.profile(), start, machine), frames);
  say("bench.done");
}

const ms = (value: number) => number(value, { maximumFractionDigits: value < 10 ? 1 : 0 });
const mega = (value: number) => number(value, { maximumFractionDigits: 1 });

/** Shows what was measured. */
function present(result: Report, frames: readonly Frame[]): void {
  const { fps, interval_ms: between, dropped, dropped_share: share } = result;
  show(el("fps"), () => number(fps, { maximumFractionDigits: 1 }));
  show(el("between"), () => `${[between.p50, between.p95, between.p99].map(ms).join(" · ")} ms`);
  show(el("dropped"), () => `${number(dropped)} (${percent(share)})`);
  show(el("cold"), () => `${number(result.cold_start_ms / 1000, { maximumFractionDigits: 2 })} s`);
  show(el("engine"), () => engine(result));
  show(el("module"), () => `${mega(result.module_mb)} MB · ${mega(result.memory_mb)} MB`);
  el("bars").setAttribute("d", bars(intervals(frames)));
  const rows = result.stages.map(({ name, ms_p50, ms_p95, ms_p99 }) => {
    const head = make("th", { scope: "row" });
    show(head, `bench.stage.${name}`);
    // What happens once has no spread.
    const once: readonly StageName[] = ["fetch", "module", "pack", "portrait"];
    const cells = [ms_p50, ms_p95, ms_p99].map((value, i) => {
      const cell = make("td");
      if (i === 0 || !once.includes(name)) show(cell, () => ms(value));
      return cell;
    });
    return make("tr", {}, head, ...cells);
  });
  el("stages").replaceChildren(...rows);
  const { roof, frame_stages: parts, network_operations: networks } = result;
  show(el("limit"), () => t("bench.limit", { gflop: mega(roof.gflop_per_second), gbytes: mega(roof.gb_per_second) }));
  el("parts").replaceChildren(...parts.map((part) => costs(part, `bench.part.${part.name as PartName}`)));
  const all = networks.flatMap(({ network, operations }) =>
    operations.map((cost) => ({ ...cost, name: `${network} ${cost.name}` })),
  );
  const slowest = all.toSorted((a, b) => b.ms_p50 - a.ms_p50).slice(0, LISTED);
  el("operations").replaceChildren(...slowest.map((cost) => costs(cost)));
  el("copy").onclick = () => void copy(JSON.stringify(result, null, 2));
  show(el("copy"), "bench.copy");
  el("results").hidden = false;
}

type PartName = "plan" | "interior" | "raster" | "sample" | "fine" | "eyes" | "mouth";

/** A row of a table of costs. `key`: words for its name, which is English otherwise. */
function costs({ name, ms_p50, gflop, mbytes, of_roofline }: Cost, key?: Key): HTMLElement {
  const head = make("th", { scope: "row" });
  if (key === undefined) head.append(make("bdi", { lang: "en" }, name));
  else show(head, key);
  const values = [() => number(ms_p50, { maximumFractionDigits: 2 }), () => mega(1000 * gflop), () => mega(mbytes)];
  const cells = [...values, () => percent(of_roofline)].map((value) => {
    const cell = make("td");
    show(cell, value);
    return cell;
  });
  return make("tr", {}, head, ...cells);
}

/** Who paints, and why. */
function engine({ backend, size, threads, reason, measured_ms: measured }: Report): string {
  const who = t(backend === "webgpu" ? "onCard" : "onProcessor", { size });
  const why =
    reason === "measured" && measured !== null
      ? t("bench.why.measured", { cpu: ms(measured.cpu), webgpu: ms(measured.webgpu) })
      : t(`bench.why.${reason as "asked" | "only" | "lost" | "slow"}`);
  return `${who} · ${t("bench.workers", { count: threads })} · ${why}`;
}

/** One bar for each frame, as high as it took until the next. */
function bars(between: readonly number[]): string {
  const step = 300 / Math.max(1, between.length);
  return between
    .map((value, i) => `M${((i + 0.5) * step).toFixed(1)} 100V${(100 * (1 - Math.min(1, value / TALLEST))).toFixed(1)}`)
    .join("");
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    show(el("copy"), "bench.copied");
  } catch (error) {
    sayError(error);
  }
}
