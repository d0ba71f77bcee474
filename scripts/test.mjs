// npm test: sets up what tests need, runs all of them, and prints `N passed, N failed` as its last line.
// `npm test -- unit` (or rust, browser, checks, cuda) runs a part.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { check } from "./check.mjs";
import { checkCuda } from "./lib/cuda.mjs";
import { Explained, entry, ROOT, run, say, step } from "./lib/run.mjs";
import { library, modelPack, npmPackages, page, probe, program, wasm } from "./lib/setup.mjs";
import { needPackages, needTools } from "./lib/system.mjs";

const total = { passed: 0, failed: 0 };
/** What failed, told once more at the end: the rest of a long log may be lost. */
const failures = [];

/** Adds a runner's numbers. A runner that fails without naming a failed test counts as one failure. */
function count(passed, failed, code) {
  total.passed += passed;
  total.failed += failed === 0 && code !== 0 ? 1 : failed;
}

async function rustTests() {
  const args = ["test", "--release", "--workspace", "--no-fail-fast"];
  await step("Testing Rust", "usually eight minutes the first time", async () => {
    const lines = [];
    const code = await run("cargo", args, { allowFailure: true, onText: (text) => lines.push(text) });
    const text = lines.join("");
    const results = [...text.matchAll(/test result: .*?(\d+) passed; (\d+) failed/g)];
    // Cargo ends the list of a program's failures with what each of them printed
    failures.push(...[...text.matchAll(/^---- .* ----\n[\s\S]*?(?=\n\n)/gm)].map((match) => match[0]));
    const sum = (group) => results.reduce((n, match) => n + Number(match[group]), 0);
    count(sum(1), sum(2), code);
  });
}

async function vitest(project, usual) {
  const report = join(ROOT, `build/tests-${project}.json`);
  rmSync(report, { force: true });
  const args = ["run", "--project", project, "--reporter=verbose", "--reporter=json", `--outputFile.json=${report}`];
  await step(`Testing: ${project}`, usual, async () => {
    const code = await run("node", ["node_modules/vitest/vitest.mjs", ...args], { allowFailure: true });
    const { numPassedTests, numFailedTests, testResults } = existsSync(report)
      ? JSON.parse(readFileSync(report, "utf8"))
      : { numPassedTests: 0, numFailedTests: 0, testResults: [] };
    const failed = testResults.flatMap((file) => file.assertionResults).filter((test) => test.status === "failed");
    failures.push(...failed.map((test) => `${test.fullName}\n${test.failureMessages.join("\n")}`));
    count(numPassedTests, numFailedTests, code);
  });
}

/** The parts, in an order in which cheap failures come first. */
const PARTS = {
  checks: async () => {
    const failed = await check();
    failures.push(...failed);
    count(0, failed.length, 0);
  },
  unit: async () => {
    // parts of the page import the package as its users do
    await library();
    await vitest("unit", "a few seconds");
  },
  rust: rustTests,
  cuda: async () => {
    const failed = await checkCuda();
    count(2 - failed, failed, 0);
  },
  browser: async () => {
    await library();
    await page();
    await probe();
    await program();
    await vitest("browser", "usually five minutes");
  },
};

/** Runs a part; one that cannot even start is a failure, and the others still run. */
async function part(name) {
  try {
    await PARTS[name]();
  } catch (error) {
    say(error instanceof Explained ? `✗ ${error.message}` : `✗ ${error.stack}`);
    count(0, 1, 0);
  }
}

async function setUp() {
  await needTools();
  await needPackages([
    "chromium",
    "firefox-esr",
    "libavcodec-extra",
    "libvulkan1",
    "mesa-vulkan-drivers",
    "pulseaudio",
  ]);
  await npmPackages();
  await modelPack();
  await wasm();
}

await entry(async () => {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    throw new Explained(`There is no part "${unknown}". The parts are: ${Object.keys(PARTS).join(", ")}.`);
  }
  try {
    await setUp();
    for (const name of asked.length > 0 ? asked : Object.keys(PARTS)) await part(name);
  } catch (error) {
    say(error instanceof Explained ? `✗ ${error.message}` : `✗ ${error.stack}`);
    count(0, 1, 0);
  }
  for (const failure of failures) say(`✗ ${failure}`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed > 0 ? 1 : 0;
});
