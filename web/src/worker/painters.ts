import type { Engine } from "../wasm/parlante.js";
import type { Painter } from "./live.js";

/** Frames from the processor. */
export class CpuPainter implements Painter {
  readonly backend = "cpu";
  /** The last frame; made anew only when the size changes. */
  #frame: ImageData | undefined;

  constructor(private readonly engine: Engine) {}

  paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): void {
    const { width } = context.canvas;
    if (this.#frame?.width !== width) this.#frame = new ImageData(width, width);
    this.engine.render(motion, width, this.#frame.data);
    context.putImageData(this.#frame, 0, 0);
  }
}
