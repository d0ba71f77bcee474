import { ParlanteError } from "./errors.js";
import type { EventHandlers, FromWorker, RequestName, Requests } from "./protocol.js";

type Waiting = { resolve: (answer: unknown) => void; reject: (error: ParlanteError) => void };

/** The page's end of the line to the worker. */
export class Link {
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #closed: ParlanteError | undefined;

  /** `handlers` hear what the worker says unasked. */
  constructor(
    private readonly worker: Worker,
    handlers: EventHandlers,
  ) {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("event" in data) (handlers[data.event] as (data: unknown) => void)(data.data);
      else this.#settle(data);
    };
    worker.onerror = (event) => {
      const reason = event.message ? ` (${event.message})` : "";
      this.close(new ParlanteError("internal", `The worker stopped${reason}. Please reload the page.`));
    };
  }

  #settle(message: Extract<FromWorker, { id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("error" in message) waiting?.reject(new ParlanteError(message.error.code, message.error.message));
    else waiting?.resolve(message.answer);
  }

  /** Sends a request; `transfer` names what moves instead of being copied. */
  ask<K extends RequestName>(
    name: K,
    ask: Requests[K]["ask"],
    transfer: Transferable[] = [],
  ): Promise<Requests[K]["answer"]> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.worker.postMessage({ id, name, ask }, transfer);
    });
  }

  /** Nothing can be asked any more. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Ends the worker; everything that waits, and every later request, fails with `reason`. */
  close(reason: ParlanteError): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.worker.terminate();
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
  }
}
