// Runs a network in WebAssembly whenever it is told to, on one thread: in our module, or in ONNX Runtime's.
//
// usage: wasm.mjs DIR NETWORK ours|theirs
//
// Speaks as ort.py does.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, name, side] = [resolve(process.argv[2]), process.argv[3], process.argv[4]];
const network = JSON.parse(readFileSync(join(folder, "networks.json"), "utf8")).find((n) => n.name === name);

/** Numbers of a file that `compare export` wrote. */
function numbers(suffix) {
  const bytes = readFileSync(join(folder, `${name}.${suffix}`));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** The part of `values` that belongs to each input or output. */
function cut(values, ports) {
  let at = 0;
  return ports.map(({ dims }) => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    at += length;
    return values.subarray(at - length, at);
  });
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
  const session = await ort.InferenceSession.create(readFileSync(join(folder, `${name}.onnx`)), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const inputs = cut(numbers("in"), network.inputs);
  const feeds = Object.fromEntries(
    network.inputs.map((port, i) => [port.name, new ort.Tensor("float32", inputs[i], port.dims)]),
  );
  return async () => {
    const results = await session.run(feeds);
    return network.outputs.map((port) => results[port.name].data);
  };
}

const run = await (side === "ours" ? ours() : theirs());
const expected = cut(numbers("out"), network.outputs);
let [absolute, relative] = [0, 0];
for (const [i, found] of (await run()).entries()) {
  let [difference, largest] = [0, 0];
  for (let j = 0; j < found.length; j++) {
    difference = Math.max(difference, Math.abs(found[j] - expected[i][j]));
    largest = Math.max(largest, Math.abs(expected[i][j]));
  }
  absolute = Math.max(absolute, difference);
  relative = Math.max(relative, difference / (1 + largest));
}
process.stdout.write(`${JSON.stringify({ absolute, relative })}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const runs = Number(line);
  const start = performance.now();
  for (let i = 0; i < runs; i++) await run();
  process.stdout.write(`${(performance.now() - start) / 1000 / runs}\n`);
}
