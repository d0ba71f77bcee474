import { ParlanteError } from "../errors.js";
import type { Backend, Reason } from "../protocol.js";
import { type Engine, restFrame } from "../wasm/parlante.js";
import type { Painter } from "./live.js";
import { CpuPainter, GpuPainter, type Spent } from "./painters.js";
import type { Backdrop, TwinLink } from "./twin-link.js";

/** Frames that are timed for the choice, at most. */
const TRIALS = 3;
/** Timing ends after this long, milliseconds: who is that slow has lost. */
const ENOUGH = 200;
/** A graphics card that needs more than this for a frame, and by this factor more than the processor, is slow. */
const SLOW = 1000 / 30;
const SLOWER = 1.2;
/** It may be slow for so long, milliseconds. */
const PATIENCE = 1000;

/** What frames are painted with. */
export interface Means {
  readonly engine: Engine;
  /** The memory of the engine's module. */
  readonly memory: WebAssembly.Memory;
  /** Starts a second worker, where there is a core for it. */
  readonly twin: () => TwinLink | undefined;
  /** Hears that the graphics card is given up, and why. */
  readonly onFallback: (why: "lost" | "slow") => void;
}

/**
 * Paints with the graphics card where that is possible and faster, otherwise with the processor. A graphics card that
 * was lost is opened again once; where that fails too, and where it became slow, the processor goes on.
 */
export class ChosenPainter implements Painter {
  readonly #cpu: CpuPainter;
  #gpu: GpuPainter | undefined;
  #current: CpuPainter | GpuPainter;
  #reason: Reason;
  /** The choice is made with the first portrait. */
  #chosen: boolean;
  #reopened = false;
  #shared = false;
  /** Milliseconds of a frame on processor and graphics card, where they were measured. */
  #measured: { readonly cpu: number; readonly webgpu: number } | undefined;
  /** Since when the graphics card is slow. */
  #slowSince: number | undefined;

  private constructor(
    private readonly means: Means,
    wanted: Backend | "auto",
    gpu: GpuPainter | undefined,
  ) {
    this.#cpu = new CpuPainter(means.engine, means.memory);
    this.#gpu = gpu;
    this.#chosen = wanted !== "auto" || gpu === undefined;
    this.#reason = wanted === "auto" ? "only" : "asked";
    this.#current = (this.#chosen ? gpu : undefined) ?? this.#cpu;
  }

  /** Fails where WebGPU is asked for and missing. */
  static async open(means: Means, wanted: Backend | "auto"): Promise<ChosenPainter> {
    if (wanted === "webgpu") return new ChosenPainter(means, wanted, await GpuPainter.open(means.engine));
    const gpu = wanted === "auto" ? await GpuPainter.open(means.engine).catch(() => undefined) : undefined;
    return new ChosenPainter(means, wanted, gpu);
  }

  get backend(): Backend {
    return this.#current.backend;
  }

  get spent(): Spent {
    return this.#current.spent;
  }

  /** How many workers paint. */
  get threads(): number {
    return this.#current === this.#cpu ? this.#cpu.threads : 1;
  }

  /** Bytes of the second worker's memory; 0 without one. */
  get twinMemory(): number {
    return this.#cpu.twinMemory;
  }

  /** Why it is this backend. */
  get reason(): Reason {
    return this.#reason;
  }

  /** Milliseconds of a frame on both, where both were measured. */
  get measured(): { readonly cpu: number; readonly webgpu: number } | undefined {
    return this.#measured;
  }

  /** A new portrait. With the first one both are timed, while the processor already paints; the faster one stays. */
  renew(size: number): void {
    this.#gpu?.renew();
    this.#cpu.renew();
    if (this.#chosen || this.#gpu === undefined) {
      this.#settle();
      return;
    }
    this.#chosen = true;
    void this.#choose(this.#gpu, size);
  }

  /** The engine shows something else behind the person. */
  renewBackground(behind: Backdrop): void {
    this.#gpu?.renewBackground();
    this.#cpu.renewBackground(behind);
  }

  async #choose(gpu: GpuPainter, size: number): Promise<void> {
    const cpu = await timeOf(this.#cpu, size);
    const webgpu = await timeOf(gpu, size).catch(() => Number.POSITIVE_INFINITY);
    this.#measured = { cpu, webgpu };
    this.#reason = "measured";
    if (webgpu < cpu) {
      this.#current = gpu;
    } else {
      this.#gpu = undefined;
      gpu.close();
    }
    this.#settle();
  }

  /** Where the processor paints, all its cores do. */
  #settle(): void {
    if (this.#shared || this.#current !== this.#cpu) return;
    this.#shared = true;
    const twin = this.means.twin();
    if (twin !== undefined) this.#cpu.share(twin);
  }

  async paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): Promise<void> {
    const started = performance.now();
    try {
      await this.#current.paint(motion, context);
    } catch (error) {
      // A portrait that does not go with the background does so on neither.
      if (this.#current === this.#cpu || ParlanteError.from(error).code === "background") throw error;
      await this.#recover();
      await this.paint(motion, context);
      return;
    }
    if (this.#current === this.#gpu) this.#watch(performance.now(), performance.now() - started);
  }

  /** Changes to the processor where the graphics card has become the slower one. */
  #watch(now: number, milliseconds: number): void {
    const { cpu } = this.#measured ?? {};
    if (cpu === undefined || milliseconds < Math.max(SLOW, SLOWER * cpu)) this.#slowSince = undefined;
    else if (this.#slowSince === undefined) this.#slowSince = now - milliseconds;
    else if (now - this.#slowSince > PATIENCE) this.#giveUp("slow");
  }

  #giveUp(why: "lost" | "slow"): void {
    this.#gpu?.close();
    this.#gpu = undefined;
    this.#current = this.#cpu;
    this.#reason = why;
    this.#settle();
    this.means.onFallback(why);
  }

  async #recover(): Promise<void> {
    this.#gpu?.close();
    this.#gpu = this.#reopened ? undefined : await GpuPainter.open(this.means.engine).catch(() => undefined);
    this.#reopened = true;
    if (this.#gpu === undefined) this.#giveUp("lost");
    else this.#current = this.#gpu;
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

  get spent(): Spent {
    return this.painter.spent;
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
