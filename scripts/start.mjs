// npm start: sets everything up, builds, and serves the page on this machine.

import { join } from "node:path";
import { entry, ROOT, say, step } from "./lib/run.mjs";
import { library, modelPack, npmPackages, page, wasm } from "./lib/setup.mjs";
import { needTools } from "./lib/system.mjs";

await entry(async () => {
  await needTools();
  await npmPackages();
  await modelPack();
  await wasm();
  await library();
  await page();
  const { preview } = await import("vite");
  const server = await step("Starting the server", "a moment", () =>
    preview({ configFile: join(ROOT, "web/vite.config.ts") }),
  );
  const address = server.resolvedUrls?.local[0];
  say(`\nParlante is at ${address} (Ctrl+C ends it). Nothing you open there leaves this machine.`);
  await new Promise(() => {});
});
