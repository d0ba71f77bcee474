import type { Cost, NetworkCost, Profile } from "../protocol.js";
import { Bench, type Engine } from "../wasm/parlante.js";
import { pause } from "./pace.js";

/** Measures parts of frames of `size` pixels a side, and every network. Between them messages and frames have their turn. */
export async function profile(engine: Engine, size: number): Promise<Profile> {
  const bench = new Bench(engine);
  try {
    const parts: Cost[] = JSON.parse(bench.frames(engine, size));
    const networks: NetworkCost[] = [];
    for (const name of bench.networks) {
      await pause(0);
      networks.push(JSON.parse(bench.network(name)));
    }
    return { roof: JSON.parse(bench.roof), parts, networks };
  } finally {
    bench.free();
  }
}
