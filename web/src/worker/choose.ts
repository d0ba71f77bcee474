import { ParlanteError } from "../errors.js";
import type { Backend } from "../protocol.js";
import { type Engine, restFrame } from "../wasm/parlante.js";
import type { Painter } from "./live.js";
import { CpuPainter, GpuPainter } from "./painters.js";

/** Frames that are timed for the choice. */
const TRIALS = 3;

/**
 * Paints with the graphics card where that is possible and faster, otherwise with the processor. A graphics card that
 * was lost is opened again once; where that fails too, the processor goes on.
 */
export class ChosenPainter implements Painter {
  readonly #cpu: CpuPainter;
  #gpu: GpuPainter | undefined;
  #current: Painter;
  /** The choice is made with the first portrait. */
  #chosen: boolean;
  #reopened = false;

  private constructor(
    private readonly engine: Engine,
    wanted: Backend | "auto",
    gpu: GpuPainter | undefined,
    private readonly onFallback: () => void,
  ) {
    this.#cpu = new CpuPainter(engine);
    this.#gpu = gpu;
    this.#current = gpu ?? this.#cpu;
    this.#chosen = wanted !== "auto" || gpu === undefined;
  }

  /** `onFallback` hears when the graphics card was lost for good. Fails where WebGPU is asked for and missing. */
  static async open(engine: Engine, wanted: Backend | "auto", onFallback: () => void): Promise<ChosenPainter> {
    if (wanted === "webgpu") return new ChosenPainter(engine, wanted, await GpuPainter.open(engine), onFallback);
    const gpu = wanted === "auto" ? await GpuPainter.open(engine).catch(() => undefined) : undefined;
    return new ChosenPainter(engine, wanted, gpu, onFallback);
  }

  get backend(): Backend {
    return this.#current.backend;
  }

  /** A new portrait of a size: with the first one, both are timed and the faster one stays. */
  async renew(size: number): Promise<void> {
    this.#gpu?.renew();
    if (this.#chosen || this.#gpu === undefined) return;
    this.#chosen = true;
    const cpu = await timeOf(this.#cpu, size);
    const gpu = await timeOf(this.#gpu, size).catch(() => Number.POSITIVE_INFINITY);
    if (gpu <= cpu) return;
    this.#gpu.close();
    this.#gpu = undefined;
    this.#current = this.#cpu;
  }

  async paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): Promise<void> {
    try {
      await this.#current.paint(motion, context);
    } catch (error) {
      if (this.#current === this.#cpu) throw error;
      await this.#recover();
      await this.paint(motion, context);
    }
  }

  async #recover(): Promise<void> {
    this.#gpu?.close();
    this.#gpu = this.#reopened ? undefined : await GpuPainter.open(this.engine).catch(() => undefined);
    this.#reopened = true;
    this.#current = this.#gpu ?? this.#cpu;
    if (this.#gpu === undefined) this.onFallback();
  }
}

/** Paints with another painter at a smaller size, and stretches the picture over the canvas. */
export class SmallPainter implements Painter {
  readonly #small: OffscreenCanvasRenderingContext2D;

  constructor(
    private readonly painter: Painter,
    side: number,
  ) {
    const context = new OffscreenCanvas(side, side).getContext("2d");
    if (context === null) throw new ParlanteError("internal", "The browser gave no drawing context.");
    this.#small = context;
  }

  get backend(): Backend {
    return this.painter.backend;
  }

  async paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): Promise<void> {
    await this.painter.paint(motion, this.#small);
    context.drawImage(this.#small.canvas, 0, 0, context.canvas.width, context.canvas.height);
  }
}

/** Milliseconds of a frame, measured until its pixels are really there. */
async function timeOf(painter: Painter, size: number): Promise<number> {
  const context = new OffscreenCanvas(size, size).getContext("2d");
  if (context === null) return Number.POSITIVE_INFINITY;
  const rest = restFrame();
  const paint = async () => {
    await painter.paint(rest, context);
    context.getImageData(0, 0, 1, 1);
  };
  // The first frame also prepares the portrait.
  await paint();
  const start = performance.now();
  for (let i = 0; i < TRIALS; i++) await paint();
  return (performance.now() - start) / TRIALS;
}
