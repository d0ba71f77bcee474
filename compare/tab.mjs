// Runs a network in a tab of Chromium without a window, in our module or in ONNX Runtime's: with WebGPU, on the software
// GPU that Chromium brings along, or in WebAssembly on so many threads. What runs inside the tab stands in page.mjs.
//
// usage: tab.mjs DIR NETWORK ours|theirs webgpu|THREADS
//
// Speaks as ort.py does. With OPERATIONS in the environment our side also lists what each operation takes on the GPU.

import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, resolve } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { ROOT } from "../scripts/lib/run.mjs";
import { which } from "../scripts/lib/system.mjs";

const [folder, name, side, where] = [resolve(process.argv[2]), ...process.argv.slice(3)];
const flags = JSON.parse(readFileSync(join(ROOT, "scripts/lib/chromium.json"), "utf8"));
const TYPES = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Which file an address stands for: the programs of this folder, or what was set up for the comparison. */
function file(url) {
  const path = normalize(decodeURIComponent(new URL(url, "http://x").pathname));
  if (path.startsWith("/compare/")) return join(ROOT, path);
  return path === "/parlante-default.gguf" ? join(folder, "..", path) : join(folder, path);
}

const server = createServer((request, response) => {
  // Isolated: a page that is not has a coarse clock.
  const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
  if (request.url === "/") {
    response
      .writeHead(200, { ...headers, "Content-Type": "text/html" })
      .end('<!doctype html><link rel="icon" href="data:,">');
    return;
  }
  const path = file(request.url);
  if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
  response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" });
  createReadStream(path).pipe(response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const browser = await chromium.launch({
  executablePath: which("chromium"),
  args: ["--no-sandbox", "--disable-background-networking", ...flags.webgpu],
});
const page = await browser.newPage();
page.on("console", (message) => process.stderr.write(`${message.text()}\n`));
page.setDefaultTimeout(0);
await page.goto(`http://127.0.0.1:${server.address().port}/`);
const first = await page.evaluate(
  async ([name, side, where, operations]) => {
    globalThis.prepared = await (await import("/compare/page.mjs")).prepare(name, side, where, operations);
    return globalThis.prepared.difference;
  },
  [name, side, where, process.env.OPERATIONS !== undefined],
);
process.stdout.write(`${JSON.stringify(first)}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await page.evaluate((runs) => globalThis.prepared.seconds(runs), Number(line))}\n`);
}
await browser.close();
process.exit();
