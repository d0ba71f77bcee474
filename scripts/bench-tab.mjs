// npm run bench:tab: measures the finished page in Chromium without a graphics card, and prints what it tells as JSON.
// `-- --plain` serves it without the headers that isolate it; `-- --size=256` asks for another size. For one core:
// `taskset -c 0 npm run bench:tab`.

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { Explained, entry, say } from "./lib/run.mjs";
import { library, modelPack, npmPackages, page, wasm } from "./lib/setup.mjs";
import { needPackages, needTools, which } from "./lib/system.mjs";

/** No graphics card, sound without a click, nothing that goes out on the network. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-features=WebGPU", "--disable-blink-features=WebGPU"];
FLAGS.push("--autoplay-policy=no-user-gesture-required", "--disable-background-networking");
/** Longest time until the page is ready, and until it has measured, milliseconds. */
const PATIENCE = 120_000;
/** What a plain server's silence means. */
const PLAIN = { "Cross-Origin-Opener-Policy": "unsafe-none", "Cross-Origin-Embedder-Policy": "unsafe-none" };

await entry(async () => {
  const { values } = parseArgs({ options: { plain: { type: "boolean" }, size: { type: "string" } } });
  await needTools();
  await needPackages(["chromium"]);
  await npmPackages();
  await modelPack();
  await wasm();
  await library();
  await page();
  const configFile = fileURLToPath(new URL("../web/vite.config.ts", import.meta.url));
  const served = await preview({ configFile, preview: { port: 0, ...(values.plain && { headers: PLAIN }) } });
  const origin = served.resolvedUrls?.local[0];
  if (origin === undefined) throw new Explained("The page could not be served on this machine.");
  const browser = await chromium.launch({ executablePath: which("chromium"), args: FLAGS });
  try {
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
    const tab = await context.newPage();
    await tab.goto(`${origin}bench.html?size=${values.size ?? 512}`);
    await tab.waitForSelector("#measure:not([disabled])", { timeout: PATIENCE });
    say("• Measuring (usually fifteen seconds)");
    await tab.locator("#measure").click();
    await tab.waitForSelector("#results:not([hidden])", { timeout: PATIENCE });
    await tab.locator("#copy").click();
    await tab.waitForFunction(async () => (await navigator.clipboard.readText()).startsWith("{"));
    process.stdout.write(`${await tab.evaluate(() => navigator.clipboard.readText())}\n`);
  } finally {
    await browser.close();
    await served.close();
  }
});
