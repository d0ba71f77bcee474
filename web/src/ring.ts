import type { SharedSound } from "./capture-worklet.js";

/** Sound that the memory holds at least, seconds: longer than any pause of a worker that is at work. */
const HELD = 2;

/** Whether this page may share memory between its threads. */
export function sharesMemory(): boolean {
  return globalThis.crossOriginIsolated === true && typeof SharedArrayBuffer === "function";
}

/** Memory for live sound at a rate in hertz. */
export function sharedSound(rate: number): SharedSound {
  const length = 2 ** Math.ceil(Math.log2(HELD * rate));
  return {
    written: new Int32Array(new SharedArrayBuffer(4)),
    stamp: new Int32Array(new SharedArrayBuffer(4)),
    since: Date.now(),
    samples: new Float32Array(new SharedArrayBuffer(length * 4)),
  };
}
