// Runs beside the sound device: hands live sound on, without ever waiting for anybody. A worklet is loaded as it is, so
// this file imports nothing.

/** A piece of live sound. */
export interface Heard {
  /** Mono. */
  readonly samples: Float32Array;
  /** When its last sample was heard, milliseconds since 1970. */
  readonly at: number;
}

/** Memory in which a worklet leaves live sound for a worker: only the worklet writes. */
export interface SharedSound {
  /** Number of samples that were written, modulo 2^32. */
  readonly written: Int32Array;
  /** When the last of them was heard, milliseconds after `since`. */
  readonly stamp: Int32Array;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The newest samples, mono: number `n` lies at `n` modulo the length, which is a power of two. */
  readonly samples: Float32Array;
}

/** Where the sound goes; `undefined`: nowhere, for now. */
export type CaptureTarget = MessagePort | SharedSound | undefined;

// What the scope of a worklet has; TypeScript's own library does not describe it.
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: readonly (readonly Float32Array[])[]): boolean;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare const sampleRate: number;

/** Seconds of a message: short beside the look-ahead of the motion, long beside the cost of a message. */
const PIECE = 0.01;

/** The mean of all channels at one sample. */
function mixed(planes: readonly Float32Array[], at: number): number {
  let sum = 0;
  for (const plane of planes) sum += plane[at] ?? 0;
  return sum / planes.length;
}

/** Sends sound in pieces through a port. */
class Messages {
  #piece = new Float32Array(Math.ceil(PIECE * sampleRate));
  #filled = 0;

  constructor(private readonly to: MessagePort) {}

  write(planes: readonly Float32Array[], count: number): void {
    for (let i = 0; i < count; i++) {
      this.#piece[this.#filled++] = mixed(planes, i);
      if (this.#filled === this.#piece.length) this.#send();
    }
  }

  #send(): void {
    const samples = this.#piece;
    this.#piece = new Float32Array(samples.length);
    this.#filled = 0;
    this.to.postMessage({ samples, at: Date.now() } satisfies Heard, [samples.buffer]);
  }
}

/** Leaves sound in shared memory, at once and without making garbage. */
class Memory {
  #written = 0;

  constructor(private readonly to: SharedSound) {}

  write(planes: readonly Float32Array[], count: number): void {
    const { written, stamp, since, samples } = this.to;
    for (let i = 0; i < count; i++) samples[(this.#written + i) & (samples.length - 1)] = mixed(planes, i);
    this.#written = (this.#written + count) | 0;
    // In this order: who sees the number finds the samples.
    Atomics.store(stamp, 0, Date.now() - since);
    Atomics.store(written, 0, this.#written);
  }
}

/** Mixes what it hears to one channel and hands it on where it is told to. */
class Capture extends AudioWorkletProcessor {
  #to: Messages | Memory | undefined;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<CaptureTarget>) => {
      if (data === undefined) this.#to = undefined;
      else this.#to = "samples" in data ? new Memory(data) : new Messages(data);
    };
  }

  process([planes]: readonly (readonly Float32Array[])[]): boolean {
    const [first] = planes ?? [];
    if (this.#to !== undefined && planes !== undefined && first !== undefined) this.#to.write(planes, first.length);
    return true;
  }
}

registerProcessor("parlante-capture", Capture);
