// The part of tab.mjs that runs inside the tab.

import { cut, difference, onnxRuntime } from "/compare/measure.mjs";

const bytes = async (path) => (await fetch(path)).arrayBuffer();
const numbers = async (path) => new Float32Array(await bytes(path));

async function ours(name, network, where, operations) {
  const module = await import("/wasm/parlante.js");
  await module.default({ module_or_path: "/wasm/parlante_bg.wasm" });
  const pack = new Uint8Array(await bytes("/parlante-default.gguf"));
  if (where !== "webgpu") {
    const prepared = new module.Network(pack, name);
    return async () => cut(prepared.run(), network.outputs);
  }
  const prepared = await module.GpuNetwork.open(pack, name);
  console.log(`  ${prepared.layout()}`);
  if (operations) console.log(await prepared.operations());
  return async () => cut(await prepared.run(), network.outputs);
}

async function theirs(name, network, where) {
  const ort = await import("/node_modules/onnxruntime-web/dist/ort.webgpu.min.mjs");
  const model = new Uint8Array(await bytes(`/${name}.onnx`));
  const provider = where === "webgpu" ? "webgpu" : "wasm";
  if (provider === "wasm") ort.env.wasm.numThreads = Number(where);
  return onnxRuntime(ort, model, network, await numbers(`/${name}.in`), provider);
}

/** Prepares a network: how far its outputs are from ours on the processor, and a function that times it. */
export async function prepare(name, side, where, operations) {
  const network = (await (await fetch("/networks.json")).json()).find((n) => n.name === name);
  const run = await (side === "ours" ? ours(name, network, where, operations) : theirs(name, network, where));
  const expected = cut(await numbers(`/${name}.out`), network.outputs);
  return {
    difference: difference(await run(), expected),
    seconds: async (runs) => {
      const start = performance.now();
      for (let i = 0; i < runs; i++) await run();
      return (performance.now() - start) / 1000 / runs;
    },
  };
}
