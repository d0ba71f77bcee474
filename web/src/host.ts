import { ParlanteError } from "./errors.js";
import { lifeEnded, lifeName } from "./life.js";
import { Link } from "./link.js";
import type { CreateOptions } from "./options.js";
import { fetchPack } from "./pack.js";
import type { EventHandlers, RequestName, Requests } from "./protocol.js";

/** A worker that dies again so soon is not replaced, milliseconds. */
const TOO_SOON = 10_000;

/** Where the model pack lies. */
export function packOf(options: CreateOptions): NonNullable<CreateOptions["pack"]> {
  return options.pack ?? new URL("./parlante.gguf", import.meta.url);
}

/** The worker that makes the frames, and the canvas that it was given. */
export class Host {
  #link: Link;
  #canvas: HTMLCanvasElement;
  #closed = false;
  #died = Number.NEGATIVE_INFINITY;
  readonly #options: CreateOptions;
  readonly #handlers: EventHandlers;
  readonly #onDeath: () => void;

  /** `onDeath`: the worker died; what it was asked for has failed, and {@link replace} puts another in its place. */
  constructor(options: CreateOptions, handlers: EventHandlers, onDeath: () => void) {
    this.#options = options;
    this.#handlers = handlers;
    this.#onDeath = onDeath;
    this.#canvas = options.canvas;
    this.#link = this.#connect();
  }

  /** The canvas that shows the face. */
  get canvas(): HTMLCanvasElement {
    return this.#canvas;
  }

  #connect(): Link {
    const worker =
      this.#options.createWorker?.() ?? new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    return new Link(worker, this.#handlers);
  }

  /** Hands pack and canvas to the worker. */
  async open(pack: Uint8Array<ArrayBuffer>): Promise<void> {
    const { backend = "auto", size = 512, module = "" } = this.#options;
    const canvas = this.#canvas.transferControlToOffscreen();
    const [link, life] = [this.#link, lifeName()];
    await link.ask("open", { life, module: String(module), pack, canvas, backend, size }, [canvas, pack.buffer]);
    void lifeEnded(life).then(() => {
      if (link !== this.#link || this.#closed) return;
      link.close(new ParlanteError("internal", "The worker stopped. Please try again."));
      this.#onDeath();
    });
  }

  /**
   * Another worker, on a new canvas in the old one's place, because a canvas is given away once and for all. Fails where
   * the worker before did not live long either.
   */
  async replace(): Promise<void> {
    const again = performance.now() - this.#died < TOO_SOON;
    this.#died = performance.now();
    if (again) throw new ParlanteError("internal", "The worker stopped again and again. Please reload the page.");
    const pack = await fetchPack(packOf(this.#options));
    if (this.#closed) return;
    const canvas = this.#canvas.cloneNode() as HTMLCanvasElement;
    this.#canvas.replaceWith(canvas);
    this.#canvas = canvas;
    this.#link = this.#connect();
    await this.open(pack);
  }

  /** Asks the worker for something. */
  ask<K extends RequestName>(
    name: K,
    ask: Requests[K]["ask"],
    transfer: Transferable[] = [],
  ): Promise<Requests[K]["answer"]> {
    return this.#link.ask(name, ask, transfer);
  }

  /** Tells the worker something, and hears of it where that fails, unless the worker died or was ended meanwhile. */
  tell<K extends RequestName>(
    name: K,
    ask: Requests[K]["ask"],
    transfer: Transferable[],
    onFailure: (error: ParlanteError) => void,
  ): void {
    const link = this.#link;
    link.ask(name, ask, transfer).catch((error) => {
      if (!link.closed) onFailure(ParlanteError.from(error));
    });
  }

  /** Ends the worker; whatever it is still asked for fails with `error`. */
  close(error: ParlanteError): void {
    this.#closed = true;
    this.#link.close(error);
  }
}
