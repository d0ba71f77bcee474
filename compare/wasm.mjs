// Runs a network in WebAssembly whenever it is told to: on one thread: in our module, or in ONNX Runtime's.
//
// usage: wasm.mjs DIR NETWORK ours|theirs
//
// Speaks as ort.py does.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { cut, difference, onnxRuntime } from "./measure.mjs";

const [folder, name, side] = [resolve(process.argv[2]), process.argv[3], process.argv[4]];
const network = JSON.parse(readFileSync(join(folder, "networks.json"), "utf8")).find((n) => n.name === name);

/** Numbers of a file that `compare export` wrote. */
function numbers(suffix) {
  const bytes = readFileSync(join(folder, `${name}.${suffix}`));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

async function ours() {
  const module = await import(pathToFileURL(join(folder, "wasm/parlante.js")));
  module.initSync({ module: readFileSync(join(folder, "wasm/parlante_bg.wasm")) });
  const prepared = new module.Network(readFileSync(join(folder, "../parlante-default.gguf")), name);
  return async () => cut(prepared.run(), network.outputs);
}

async function theirs() {
  const entry = join(folder, "node_modules/onnxruntime-web/dist/ort.wasm.min.mjs");
  const ort = await import(pathToFileURL(entry));
  ort.env.wasm.numThreads = 1;
  return onnxRuntime(ort, readFileSync(join(folder, `${name}.onnx`)), network, numbers("in"), "wasm");
}

const run = await (side === "ours" ? ours() : theirs());
process.stdout.write(`${JSON.stringify(difference(await run(), cut(numbers("out"), network.outputs)))}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const runs = Number(line);
  const start = performance.now();
  for (let i = 0; i < runs; i++) await run();
  process.stdout.write(`${(performance.now() - start) / 1000 / runs}\n`);
}
process.exit();
