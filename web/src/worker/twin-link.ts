import type { Portion } from "./portion.js";

/** What is put behind the person: a word or colour, or the pixels (RGBA) of a picture. */
export type Backdrop = string | { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** What the first worker says to the second. */
export type ToTwin =
  | { readonly name: "open"; readonly module: WebAssembly.Module; readonly pack: Uint8Array }
  | { readonly name: "portrait"; readonly face: Uint8Array }
  | { readonly name: "size"; readonly size: number }
  | { readonly name: "background"; readonly behind: Backdrop }
  | {
      readonly name: "paint";
      readonly motion: Float32Array;
      readonly size: number;
      readonly top: number;
      /** Takes the rows and comes back with them. */
      readonly pixels: ArrayBuffer;
    };

/** What the second worker answers: it can paint frames of a size (and has so many bytes), it painted, or it cannot go on. */
export type FromTwin =
  | { readonly name: "ready"; readonly size: number; readonly memory: number }
  | { readonly name: "painted"; readonly pixels: ArrayBuffer; readonly milliseconds: number }
  | { readonly name: "failed" };

/** A second worker that does not answer for so long is given up, milliseconds. */
const PATIENCE = 500;

/** The first worker's end of the line to the second, which paints the lower rows of frames. */
export class TwinLink {
  /** Bytes of its memory. */
  memory = 0;
  #alive = true;
  /** Size that the second worker is ready for. */
  #ready = 0;
  #asked = 0;
  /** Room for the rows while nobody paints on it. */
  #pixels = new ArrayBuffer(0);
  #settle: ((portion: Portion | undefined) => void) | undefined;

  constructor(
    private readonly worker: Worker,
    module: WebAssembly.Module,
    pack: Uint8Array<ArrayBuffer>,
  ) {
    worker.onmessage = ({ data }: MessageEvent<FromTwin>) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.close();
    };
    this.#tell({ name: "open", module, pack }, [pack.buffer]);
  }

  /** Whether it can be asked for frames. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Hands the portrait over; until it is prepared, {@link readyFor} says no. */
  setPortrait(face: Uint8Array<ArrayBuffer>): void {
    this.#ready = 0;
    this.#asked = 0;
    this.#tell({ name: "portrait", face }, [face.buffer]);
  }

  /** What is behind the person from the next frame on. */
  setBackground(behind: Backdrop): void {
    this.#tell({ name: "background", behind });
  }

  /** Whether frames of this size can be painted at once; where not, it gets ready for them. */
  readyFor(size: number): boolean {
    if (this.#ready !== size && this.#asked !== size) {
      this.#asked = size;
      this.#tell({ name: "size", size });
    }
    return this.#alive && this.#ready === size;
  }

  /** Paints the rows of a frame from `top` on. `undefined` where that failed or took too long: it is over then. */
  paint(motion: Float32Array, size: number, top: number): Promise<Portion | undefined> {
    const bytes = (size - top) * size * 4;
    const pixels = this.#pixels.byteLength >= bytes ? this.#pixels : new ArrayBuffer(size * size * 4);
    return new Promise((resolve) => {
      const late = setTimeout(() => this.close(), PATIENCE);
      this.#settle = (portion) => {
        clearTimeout(late);
        this.#settle = undefined;
        resolve(portion);
      };
      this.#tell({ name: "paint", motion, size, top, pixels }, [pixels]);
    });
  }

  #hear(answer: FromTwin): void {
    if (answer.name === "ready") {
      this.memory = answer.memory;
      if (answer.size === this.#asked) this.#ready = answer.size;
    } else if (answer.name === "painted") {
      this.#pixels = answer.pixels;
      this.#settle?.(answer);
    } else this.close();
  }

  #tell(what: ToTwin, transfer: Transferable[] = []): void {
    if (this.#alive) this.worker.postMessage(what, transfer);
    else this.#settle?.(undefined);
  }

  /** Ends the second worker. */
  close(): void {
    this.#alive = false;
    this.worker.terminate();
    this.#settle?.(undefined);
  }
}
