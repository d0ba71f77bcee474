// npm run check: formatting, lints and types, Rust and TypeScript.

import { entry, run, step } from "./lib/run.mjs";
import { npmPackages, wasm } from "./lib/setup.mjs";

/** Name, usual time and command of every check. */
export const CHECKS = [
  ["Checking the format of Rust", "a second", "cargo", ["fmt", "--all", "--check"]],
  [
    "Looking for lints in Rust",
    "usually two minutes the first time",
    "cargo",
    ["clippy", "--release", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"],
  ],
  [
    "Looking for lints in what only the browser compiles",
    "usually a minute the first time",
    "cargo",
    [
      ...["clippy", "--release", "--target", "wasm32-unknown-unknown", "--package", "parlante", "--lib"],
      ...["--no-default-features", "--quiet", "--", "--deny", "warnings"],
    ],
  ],
  [
    "Checking format and lints of TypeScript",
    "a second",
    "node",
    ["node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off", "."],
  ],
  ["Checking types", "a few seconds", "node", ["node_modules/typescript/bin/tsc", "--noEmit"]],
];

/** Runs all checks, also after one has failed. Answers the names of those that failed. */
export async function check() {
  const failed = [];
  for (const [name, usual, program, args] of CHECKS) {
    const code = await step(name, usual, () => run(program, args, { allowFailure: true }));
    if (code !== 0) failed.push(name);
  }
  return failed;
}

if (process.argv[1] === import.meta.filename) {
  await entry(async () => {
    await npmPackages();
    await wasm();
    return (await check()).length > 0 ? 1 : 0;
  });
}
