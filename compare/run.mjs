// npm run compare: the same networks in our executors and in ONNX Runtime, in one run.
//
// Both sides are prepared in processes of their own and then run in turn, so that both see the same machine. Printed is
// the median; the spread is that of the ratio. Fails when outputs differ by more than BOUND.
//
// npm run compare -- [--only native,wasm,tab,webgpu] [--networks lips,spade] [--rounds 9] [--operations]
//
// With --operations it also lists what each of our operations takes on the browser's GPU.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { Explained, entry, ROOT, run, say, step } from "../scripts/lib/run.mjs";
import { modelPack, npmPackages, PACK } from "../scripts/lib/setup.mjs";
import { needPackages, needTools } from "../scripts/lib/system.mjs";

const FOLDER = "build/compare";
const PYTHON = `${FOLDER}/venv/bin/python`;
const PROGRAM = "target/release/compare";
const WASM = "target/wasm32-unknown-unknown/release/compare.wasm";
/** Versions of what we are compared with. */
const PYTHON_PACKAGES = ["onnxruntime==1.32.0", "numpy"];
const NPM_PACKAGES = ["onnxruntime-web@1.30.0"];
/** Largest difference of an output that is allowed, in relation to one more than its largest number. */
const BOUND = 1e-3;
/** One measurement takes at least so many seconds: short networks are run several times. */
const LEAST = 0.05;
/** Pause after each measurement, in milliseconds: threads that wait for work by spinning go to sleep. */
const PAUSE = 60;

/** A process that runs a network whenever it is told to. */
class Runner {
  static async start(program, args, env, says) {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const runner = new Runner();
    runner.child = child;
    runner.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    if (says) runner.difference = JSON.parse(await runner.line());
    return runner;
  }

  async line() {
    const { value, done } = await this.lines.next();
    if (done) throw new Explained("A program that is compared stopped. Its own words stand above.");
    return value;
  }

  /** Seconds of one of so many runs. */
  async seconds(runs) {
    this.child.stdin.write(`${runs}\n`);
    return Number(await this.line());
  }

  stop() {
    this.child.stdin.end();
  }
}

/** What is compared, and on how many threads. */
const CONTESTS = {
  native: {
    threads: [1, 2],
    ours: (name, threads) => [PROGRAM, [PACK, "serve", name, "cpu"], { RAYON_NUM_THREADS: `${threads}` }, false],
    theirs: (name, threads) => [PYTHON, ["compare/ort.py", FOLDER, name, `${threads}`], {}, true],
  },
  wasm: {
    threads: [1],
    ours: (name) => [process.execPath, ["compare/wasm.mjs", FOLDER, name, "ours"], {}, true],
    theirs: (name) => [process.execPath, ["compare/wasm.mjs", FOLDER, name, "theirs"], {}, true],
  },
  // Two threads for ONNX Runtime; ours always runs on one.
  tab: {
    threads: [2],
    ours: (name, threads) => [process.execPath, ["compare/tab.mjs", FOLDER, name, "ours", `${threads}`], {}, true],
    theirs: (name, threads) => [process.execPath, ["compare/tab.mjs", FOLDER, name, "theirs", `${threads}`], {}, true],
  },
  webgpu: {
    threads: ["GPU"],
    ours: (name) => [process.execPath, ["compare/tab.mjs", FOLDER, name, "ours", "webgpu"], {}, true],
    theirs: (name) => [process.execPath, ["compare/tab.mjs", FOLDER, name, "theirs", "webgpu"], {}, true],
  },
};

/** The large block takes ONNX Runtime minutes a run on a software GPU: there a small one stands for it. */
const compared = (contest, network) => network.name !== (contest === "webgpu" ? "spade" : "spade-small");

async function setUp(contests) {
  await needTools();
  await modelPack();
  mkdirSync(join(ROOT, FOLDER), { recursive: true });
  await step("Compiling the networks' runner", "usually a minute", () =>
    run("cargo", ["build", "--release", "--bin", "compare", "--bin", "xtask"]),
  );
  await step("Writing the networks as ONNX", "a few seconds", () => run(PROGRAM, [PACK, "export", FOLDER]));
  if (contests.includes("native") && !existsSync(join(ROOT, PYTHON))) {
    await step("Installing ONNX Runtime for Python", "usually 20 seconds", async () => {
      await run("python3", ["-m", "venv", `${FOLDER}/venv`]);
      await run(PYTHON, ["-m", "pip", "install", "--quiet", ...PYTHON_PACKAGES]);
    });
  }
  if (contests.includes("webgpu") || contests.includes("tab")) {
    await needPackages(["chromium"]);
    await npmPackages();
  }
  if (contests.some((contest) => contest !== "native")) {
    if (!existsSync(join(ROOT, FOLDER, "node_modules/onnxruntime-web"))) {
      const options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
      await step("Installing ONNX Runtime for the browser", "usually 10 seconds", () =>
        run("npm", ["install", "--prefix", FOLDER, ...options, ...NPM_PACKAGES]),
      );
    }
    await step("Compiling the networks' runner for the browser", "usually two minutes", () =>
      run("cargo", ["build", "--release", "--target", "wasm32-unknown-unknown", "--package", "compare", "--lib"]),
    );
    await run("cargo", ["xtask", "wasm-bind", WASM, `${FOLDER}/wasm`]);
  }
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => (sorted(values)[(values.length - 1) >> 1] + sorted(values)[values.length >> 1]) / 2;

/** Runs one network on both sides in turn. */
async function compare(contest, network, threads, rounds) {
  const [ours, theirs] = await Promise.all(
    ["ours", "theirs"].map((side) => Runner.start(...CONTESTS[contest][side](network.name, threads))),
  );
  const sides = [ours, theirs];
  // The first run of each warms up and says how many runs a measurement needs.
  const runs = [];
  for (const side of sides) {
    await side.seconds(1);
    runs.push(Math.max(1, Math.ceil(LEAST / (await side.seconds(1)))));
  }
  const times = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
      times[i].push(await sides[i].seconds(runs[i]));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
  for (const side of sides) side.stop();
  const ratios = times[0].map((own, i) => times[1][i] / own);
  const differences = sides.flatMap((side) => side.difference ?? []);
  return {
    contest,
    network: network.name,
    threads,
    gflop: network.gflop,
    rounds,
    ms: 1000 * median(times[0]),
    ms_onnx_runtime: 1000 * median(times[1]),
    ratio: median(ratios),
    ratio_min: Math.min(...ratios),
    ratio_max: Math.max(...ratios),
    gflop_per_second: network.gflop / median(times[0]),
    difference: Math.max(...differences.map((d) => d.relative)),
    difference_absolute: Math.max(...differences.map((d) => d.absolute)),
  };
}

function table(rows) {
  const lines = [
    "| where | network | GFLOP | threads | ours, ms | ONNX Runtime, ms | times as fast (spread) | GFLOP/s | difference |",
    "|---|---|---|---|---|---|---|---|---|",
  ];
  for (const r of rows) {
    const spread = `${r.ratio.toFixed(2)} (${r.ratio_min.toFixed(2)} … ${r.ratio_max.toFixed(2)})`;
    const cells = [r.contest, r.network, r.gflop.toFixed(4), r.threads, r.ms.toFixed(3), r.ms_onnx_runtime.toFixed(3)];
    lines.push(`| ${[...cells, spread, r.gflop_per_second.toFixed(1), r.difference.toExponential(1)].join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}

await entry(async () => {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: Object.keys(CONTESTS).join() },
      networks: { type: "string" },
      rounds: { type: "string", default: "7" },
      operations: { type: "boolean", default: false },
    },
  });
  const contests = values.only.split(",");
  const unknown = contests.find((contest) => !(contest in CONTESTS));
  if (unknown !== undefined) {
    throw new Explained(`"${unknown}" cannot be compared. What can is: ${Object.keys(CONTESTS).join(", ")}.`);
  }
  if (values.operations) process.env.OPERATIONS = "1";
  await setUp(contests);
  const all = JSON.parse(readFileSync(join(ROOT, FOLDER, "networks.json"), "utf8"));
  const networks = all.filter(({ name }) => values.networks?.split(",").includes(name) ?? true);
  const rows = [];
  for (const contest of contests) {
    for (const threads of CONTESTS[contest].threads) {
      for (const network of networks.filter((network) => compared(contest, network))) {
        await step(`Comparing ${network.name}, ${contest}, threads: ${threads}`, "a few seconds", async () => {
          rows.push(await compare(contest, network, threads, Number(values.rounds)));
        });
      }
    }
  }
  const text = table(rows);
  const load = loadavg().map((n) => n.toFixed(1));
  say(`Load of the machine afterwards, over 1, 5 and 15 minutes: ${load.join(", ")}`);
  process.stdout.write(text);
  writeFileSync(join(ROOT, FOLDER, "report.json"), `${JSON.stringify({ load, rows }, null, 2)}\n`);
  writeFileSync(join(ROOT, FOLDER, "report.md"), text);
  const wrong = rows.filter((row) => !(row.difference <= BOUND));
  for (const row of wrong) say(`✗ ${row.network} (${row.contest}) differs by ${row.difference}, more than ${BOUND}.`);
  return wrong.length > 0 ? 1 : 0;
});
