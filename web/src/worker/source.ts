// Where live sound comes in: the worker's end of what the worklet hands on.

import type { Heard, SharedSound } from "../capture-worklet.js";

/** Sound that nobody took for so long is old: it is skipped, seconds. */
const OLD = 1;
/** What is kept of it, so that the motion can get its bearings, seconds. */
const KEPT = 0.5;

/** Takes live sound. */
export interface Listener {
  /** Mono samples, the last of them heard at `at` (milliseconds since 1970). They are valid until this returns. */
  take(samples: Float32Array, at: number): void;
  /** So many samples were skipped. */
  skip(samples: number): void;
}

/** Live sound that waits to be taken. */
export interface Source {
  /** Hands on what came since the last time. */
  poll(to: Listener): void;
  close(): void;
}

/** The source for what a page handed over, at a rate in hertz. */
export function sourceOf(from: MessagePort | SharedSound, rate: number): Source {
  return "samples" in from ? new RingSource(from, rate) : new PortSource(from, rate);
}

/** Pieces that come as messages. */
export class PortSource implements Source {
  readonly #waiting: Heard[] = [];
  #samples = 0;
  #skipped = 0;

  constructor(
    private readonly port: MessagePort,
    private readonly rate: number,
  ) {
    port.onmessage = ({ data }: MessageEvent<Heard>) => this.#keep(data);
  }

  #keep(piece: Heard): void {
    this.#waiting.push(piece);
    this.#samples += piece.samples.length;
    if (this.#samples <= OLD * this.rate) return;
    while (this.#samples > KEPT * this.rate) {
      const old = this.#waiting.shift()?.samples.length ?? this.#samples;
      this.#samples -= old;
      this.#skipped += old;
    }
  }

  poll(to: Listener): void {
    if (this.#skipped > 0) to.skip(this.#skipped);
    this.#skipped = 0;
    this.#samples = 0;
    for (const { samples, at } of this.#waiting.splice(0)) to.take(samples, at);
  }

  close(): void {
    this.port.close();
  }
}

/** Samples that lie in shared memory. */
export class RingSource implements Source {
  #read: number;
  readonly #piece: Float32Array;

  constructor(
    private readonly shared: SharedSound,
    private readonly rate: number,
  ) {
    this.#read = Atomics.load(shared.written, 0) >>> 0;
    this.#piece = new Float32Array(Math.ceil(OLD * rate));
  }

  poll(to: Listener): void {
    const { written, stamp, since, samples } = this.shared;
    const end = Atomics.load(written, 0) >>> 0;
    const at = since + Atomics.load(stamp, 0);
    let fresh = (end - this.#read) >>> 0;
    if (fresh > OLD * this.rate) {
      const old = fresh - Math.round(KEPT * this.rate);
      to.skip(old);
      this.#read = (this.#read + old) >>> 0;
      fresh -= old;
    }
    if (fresh === 0) return;
    const start = this.#read & (samples.length - 1);
    const first = Math.min(fresh, samples.length - start);
    this.#piece.set(samples.subarray(start, start + first));
    this.#piece.set(samples.subarray(0, fresh - first), first);
    this.#read = end;
    to.take(this.#piece.subarray(0, fresh), at);
  }

  /** The memory goes with its last owner. */
  close(): void {}
}
