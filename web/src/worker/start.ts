import { ParlanteError } from "../errors.js";
import type { Notice } from "../protocol.js";
import { TwinLink } from "./twin-link.js";

/** Compiles the module while it arrives; where its server does not say what it is, after it has arrived. */
export async function compile(address: string | URL): Promise<WebAssembly.Module> {
  const response = await fetch(address).catch(() => undefined);
  if (!response?.ok) {
    throw new ParlanteError("internal", `The module "${address}" could not be fetched. Please check the address.`);
  }
  if (response.headers.get("content-type")?.startsWith("application/wasm")) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}

/** Bytes of the module that this worker fetched; 0 where the browser does not tell. */
export function moduleBytes(): number {
  const all = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
  return all.find(({ name }) => name.endsWith(".wasm"))?.decodedBodySize ?? 0;
}

/** What people hear when the graphics card is given up. */
export const FALLBACK = {
  lost: { code: "card-lost", message: "The graphics card was lost: the processor goes on." },
  slow: { code: "card-slow", message: "The graphics card has become slow: the processor goes on." },
} as const satisfies Record<string, Notice>;

/** A second worker with a module of its own, where there is a core for it and the browser gives one. */
export function secondWorker(module: WebAssembly.Module, pack: Uint8Array<ArrayBuffer>): TwinLink | undefined {
  if (navigator.hardwareConcurrency < 2 || typeof Worker === "undefined") return undefined;
  try {
    return new TwinLink(new Worker(new URL("../twin.js", import.meta.url), { type: "module" }), module, pack);
  } catch {
    // The address is not allowed here, or no nested worker is: one worker does it too.
    return undefined;
  }
}
