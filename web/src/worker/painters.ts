import { type Engine, type GpuStage, openGpu } from "../wasm/parlante.js";
import type { Painter } from "./live.js";
import { Shares } from "./portion.js";
import type { Backdrop, TwinLink } from "./twin-link.js";

/** What a frame took, milliseconds. */
export interface Spent {
  /** To work out where everything goes. */
  plan: number;
  /** To paint the rows that this worker paints. */
  paint: number;
  /** To wait for who paints the others, the second worker or the graphics card. */
  wait: number;
  /** To hand the picture to the canvas. */
  show: number;
}

/** Frames from the processor: from one core, and from two once {@link share} was given a second worker. */
export class CpuPainter implements Painter {
  readonly backend = "cpu";
  readonly spent: Spent = { plan: 0, paint: 0, wait: 0, show: 0 };
  /** The last frame where it lies in the module's memory; made anew only when the size changes or the memory grows. */
  #frame: ImageData | undefined;
  #address = 0;
  #twin: TwinLink | undefined;
  /** The second worker has this portrait. */
  #told = false;
  #behind: Backdrop = "keep";
  readonly #shares = new Shares();
  /** The frame before this one: the buffers belong to one at a time. */
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly engine: Engine,
    private readonly memory: WebAssembly.Memory,
  ) {}

  /** How many workers paint. */
  get threads(): number {
    return this.#twin?.alive && this.#told ? 2 : 1;
  }

  /** Bytes of the second worker's memory; 0 without one. */
  get twinMemory(): number {
    return this.#twin?.memory ?? 0;
  }

  /** Gives a share of the rows to a second worker, as soon as it is ready and for as long as that is faster. */
  share(twin: TwinLink): void {
    this.#twin = twin;
    this.#told = false;
    twin.setBackground(this.#behind);
  }

  /** Lets go of the second worker. */
  close(): void {
    this.#twin?.close();
    this.#twin = undefined;
  }

  paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): Promise<void> {
    const turn = this.#last.then(() => this.#paintNext(motion, context));
    this.#last = turn.catch(() => {});
    return turn;
  }

  #paintNext(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): void | Promise<void> {
    const twin = this.#twin;
    if (twin === undefined) return this.#paintAlone(motion, context);
    if (!twin.alive || !this.#shares.worth) {
      this.close();
      return this.#paintAlone(motion, context);
    }
    if (this.#told && twin.readyFor(context.canvas.width)) return this.#paintShared(twin, motion, context);
    this.#paintAlone(motion, context);
    if (this.#told) return;
    // After the first frame, which somebody waits for.
    this.#told = true;
    twin.setPortrait(this.engine.fitted as Uint8Array<ArrayBuffer>);
  }

  #paintAlone(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): void {
    const size = context.canvas.width;
    this.#paintRows(motion, size, 0, size);
    // Without what it takes to prepare a portrait before its first frame.
    this.#shares.alone(this.spent.plan + this.spent.paint);
    this.spent.wait = 0;
    this.#show(context);
  }

  async #paintShared(twin: TwinLink, motion: Float32Array, context: OffscreenCanvasRenderingContext2D): Promise<void> {
    const size = context.canvas.width;
    const cut = this.#shares.cut(size);
    const started = performance.now();
    const others = twin.paint(motion, size, cut);
    this.#paintRows(motion, size, 0, cut);
    const painted = performance.now();
    const lower = await others;
    const whole = performance.now();
    this.spent.wait = whole - painted;
    if (lower === undefined) this.#paintRows(motion, size, cut, size);
    else {
      const bytes = (size - cut) * size * 4;
      new Uint8Array(this.memory.buffer, this.#address + cut * size * 4).set(new Uint8Array(lower.pixels, 0, bytes));
      this.#shares.shared(painted - started, lower.milliseconds, whole - started);
    }
    this.#show(context);
  }

  #paintRows(motion: Float32Array, size: number, top: number, bottom: number): void {
    const address = this.engine.render(motion, size, top, bottom);
    this.spent.plan = this.engine.planned;
    this.spent.paint = this.engine.painted;
    if (address === this.#address && this.#frame?.width === size && this.#frame.data.length > 0) return;
    this.#address = address;
    this.#frame = this.#view(size);
  }

  /** The frame where it lies now. */
  #view(size: number): ImageData {
    return new ImageData(
      new Uint8ClampedArray(this.memory.buffer as ArrayBuffer, this.#address, size * size * 4),
      size,
    );
  }

  #show(context: OffscreenCanvasRenderingContext2D): void {
    const started = performance.now();
    if (this.#frame === undefined) return;
    // The memory may have grown while the second worker painted: what was a view of it is empty then.
    if (this.#frame.data.length === 0) this.#frame = this.#view(this.#frame.width);
    context.putImageData(this.#frame, 0, 0);
    this.spent.show = performance.now() - started;
  }

  /** Another portrait. The engine keeps it itself; the second worker gets it after the first frame. */
  renew(): void {
    this.#told = false;
    this.#shares.renew();
  }

  /** What is behind the person from the next frame on. */
  renewBackground(behind: Backdrop): void {
    this.#behind = behind;
    this.#twin?.setBackground(behind);
  }
}

/** Frames from the graphics card; they go to the canvas without being read back. */
export class GpuPainter implements Painter {
  readonly backend = "webgpu";
  readonly spent: Spent = { plan: 0, paint: 0, wait: 0, show: 0 };
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
    const started = performance.now();
    this.stage.paint(motion);
    const painted = performance.now();
    // In place of what was there, not over it: the frame may be transparent.
    context.globalCompositeOperation = "copy";
    context.drawImage(this.canvas, 0, 0);
    context.globalCompositeOperation = "source-over";
    const shown = performance.now();
    await this.stage.finished();
    Object.assign(this.spent, { paint: painted - started, show: shown - painted, wait: performance.now() - shown });
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
