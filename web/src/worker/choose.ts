import { ParlanteError } from "../errors.js";
import type { Backend } from "../protocol.js";
import { type Engine, restFrame } from "../wasm/parlante.js";
import type { Painter } from "./live.js";
import { CpuPainter, GpuPainter } from "./painters.js";

/** Frames that are timed for the choice, at most. */
const TRIALS = 3;
/** Timing ends after this long, milliseconds: who is that slow has lost. */
const ENOUGH = 200;

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
    this.#chosen = wanted !== "auto" || gpu === undefined;
    this.#current = (this.#chosen ? gpu : undefined) ?? this.#cpu;
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

  /** A new portrait. With the first one both are timed, while the processor already paints; the faster one stays. */
  renew(size: number): void {
    this.#gpu?.renew();
    if (this.#chosen || this.#gpu === undefined) return;
    this.#chosen = true;
    void this.#choose(this.#gpu, size);
  }

  /** The engine shows something else behind the person. */
  renewBackground(): void {
    this.#gpu?.renewBackground();
  }

  async #choose(gpu: GpuPainter, size: number): Promise<void> {
    const processor = await timeOf(this.#cpu, size);
    const card = await timeOf(gpu, size).catch(() => Number.POSITIVE_INFINITY);
    if (card < processor) {
      this.#current = gpu;
    } else {
      this.#gpu = undefined;
      gpu.close();
    }
  }

  async paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): Promise<void> {
    try {
      await this.#current.paint(motion, context);
    } catch (error) {
      // A portrait that does not go with the background does so on neither.
      if (this.#current === this.#cpu || ParlanteError.from(error).code === "background") throw error;
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
    context.globalCompositeOperation = "copy";
    context.drawImage(this.#small.canvas, 0, 0, context.canvas.width, context.canvas.height);
    context.globalCompositeOperation = "source-over";
  }
}

/** Milliseconds of a frame, from the motion to the finished picture. */
async function timeOf(painter: Painter, size: number): Promise<number> {
  const context = new OffscreenCanvas(size, size).getContext("2d");
  if (context === null) return Number.POSITIVE_INFINITY;
  const rest = restFrame();
  // The first frame also prepares the portrait and the pipelines, which says nothing about the frames after it.
  await painter.paint(rest, context);
  const start = performance.now();
  let frames = 0;
  while (frames < TRIALS && performance.now() - start < ENOUGH) {
    await painter.paint(rest, context);
    frames += 1;
  }
  // A card may hand its frames over lazily: only who asks for a pixel learns how long that takes.
  context.getImageData(0, 0, 1, 1);
  return (performance.now() - start) / frames;
}
