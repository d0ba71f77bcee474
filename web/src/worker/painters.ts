import { type Engine, type GpuStage, openGpu } from "../wasm/parlante.js";
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

  /** The engine keeps the portrait itself. */
  renew(): void {}
}

/** Frames from the graphics card; they go to the canvas without being read back. */
export class GpuPainter implements Painter {
  readonly backend = "webgpu";
  #size = 0;

  private constructor(
    private readonly engine: Engine,
    private readonly stage: GpuStage,
    private readonly canvas: OffscreenCanvas,
  ) {}

  /** Opens the graphics card; fails where there is no WebGPU. */
  static async open(engine: Engine): Promise<GpuPainter> {
    const canvas = new OffscreenCanvas(64, 64);
    return new GpuPainter(engine, await openGpu(canvas), canvas);
  }

  async paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): Promise<void> {
    const { width } = context.canvas;
    if (this.#size !== width) {
      this.stage.prepare(this.engine, width);
      this.#size = width;
    }
    this.stage.paint(motion);
    // In place of what was there, not over it: the frame may be transparent.
    context.globalCompositeOperation = "copy";
    context.drawImage(this.canvas, 0, 0);
    context.globalCompositeOperation = "source-over";
    await this.stage.finished();
  }

  /** Another portrait: it is handed over with the next frame. */
  renew(): void {
    this.#size = 0;
  }

  /** Takes over what the engine shows behind the person. */
  renewBackground(): void {
    this.stage.setBackground(this.engine);
  }

  /** Gives the graphics card back. */
  close(): void {
    this.stage.free();
  }
}
