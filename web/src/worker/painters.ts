import type { Engine } from "../wasm/parlante.js";
import type { Painter } from "./live.js";

/** Frames from the processor. */
export class CpuPainter implements Painter {
  readonly backend = "cpu";

  constructor(private readonly engine: Engine) {}

  paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): void {
    const { width, height } = context.canvas;
    const pixels = new Uint8ClampedArray(width * height * 4);
    this.engine.render(motion, width, pixels);
    context.putImageData(new ImageData(pixels, width, height), 0, 0);
  }
}
