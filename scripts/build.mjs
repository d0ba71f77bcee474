// npm run build: everything that `npm start` makes, without serving it; with `-- --smallest` as it is published.

import { entry } from "./lib/run.mjs";
import { library, modelPack, npmPackages, page, wasm } from "./lib/setup.mjs";
import { needTools } from "./lib/system.mjs";

await entry(async () => {
  await needTools();
  await npmPackages();
  await modelPack();
  await wasm({ smallest: process.argv.includes("--smallest") });
  await library();
  await page();
});
