// The second worker: a module of its own that holds the same portrait, and paints the lower rows of every frame.

import init, { restFrame, Twin } from "./wasm/parlante.js";
import type { FromTwin, ToTwin } from "./worker/twin-link.js";

const scope = self as unknown as {
  postMessage(message: FromTwin, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToTwin>) => void) | null;
};

let memory: WebAssembly.Memory | undefined;
let twin: Twin | undefined;
/** What comes is done one after another, also while the module starts. */
let last: Promise<void> = Promise.resolve();

async function handle(ask: ToTwin): Promise<void> {
  if (ask.name === "open") {
    ({ memory } = await init({ module_or_path: ask.module }));
    twin = new Twin(ask.pack);
  } else if (twin === undefined || memory === undefined) {
    throw new Error("not open");
  } else if (ask.name === "portrait") {
    twin.setPortrait(ask.face);
  } else if (ask.name === "size") {
    twin.render(restFrame(), ask.size, 0, ask.size);
    scope.postMessage({ name: "ready", size: ask.size, memory: memory.buffer.byteLength });
  } else if (ask.name === "background") {
    const { behind } = ask;
    if (typeof behind === "string") twin.setBackground(behind);
    else twin.setBackgroundPixels(behind.width, behind.height, behind.data);
  } else {
    const { motion, size, top, pixels } = ask;
    const started = performance.now();
    const address = twin.render(motion, size, top, size) + top * size * 4;
    new Uint8Array(pixels).set(new Uint8Array(memory.buffer, address, (size - top) * size * 4));
    scope.postMessage({ name: "painted", pixels, milliseconds: performance.now() - started }, [pixels]);
  }
}

scope.onmessage = ({ data }) => {
  last = last.then(() => handle(data)).catch(() => scope.postMessage({ name: "failed" }));
};
