// npm run soak -- [--minutes 30] [--size 512] [--starts 1000] [--portraits 100] [--unplugs 50]
//
// Lives with the face for a long time in a real Chromium, on the processor, and watches memory, nodes of sound, holes in
// the sound, frames, and how far sound and picture drift apart. What it found lies in build/soak.json.

import { parseArgs } from "node:util";
import { Explained, entry, run } from "./lib/run.mjs";
import { library, modelPack, npmPackages, probe, wasm } from "./lib/setup.mjs";
import { needPackages, needTools } from "./lib/system.mjs";

const NAMES = ["minutes", "size", "starts", "portraits", "unplugs"];

/** What was asked for, numbers by name. */
function settings() {
  const options = Object.fromEntries(NAMES.map((name) => [name, { type: "string" }]));
  try {
    const { values } = parseArgs({ options });
    const numbers = Object.entries(values).map(([name, text]) => [name, Number(text)]);
    if (numbers.every(([, value]) => value > 0)) return Object.fromEntries(numbers);
  } catch {
    // Said below.
  }
  throw new Explained(`Please give numbers for any of: ${NAMES.map((name) => `--${name}`).join(", ")}.`);
}

await entry(async () => {
  const asked = settings();
  await needTools();
  await needPackages(["chromium"]);
  await npmPackages();
  await modelPack();
  await wasm();
  await library();
  await probe();
  const args = ["run", "--project", "soak", "--reporter=verbose"];
  const env = { SOAK: JSON.stringify(asked) };
  return run("node", ["node_modules/vitest/vitest.mjs", ...args], { allowFailure: true, env });
});
