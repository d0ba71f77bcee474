// Runs beside the sound device: hands live sound on in pieces, without ever waiting for anybody.

/** A piece of live sound. */
export interface Heard {
  /** Mono. */
  readonly samples: Float32Array;
  /** When its last sample was heard, milliseconds since 1970. */
  readonly at: number;
}

// What the scope of a worklet has; TypeScript's own library does not describe it.
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
  abstract process(inputs: readonly (readonly Float32Array[])[]): boolean;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;
declare const sampleRate: number;

/** Seconds of a piece: short beside the look-ahead of the motion, long beside the cost of a message. */
const PIECE = 0.01;

/** Mixes what it hears to one channel and sends it to the port that it is given. */
class Capture extends AudioWorkletProcessor {
  #to: MessagePort | undefined;
  #piece = new Float32Array(Math.ceil(PIECE * sampleRate));
  #filled = 0;
  #ended = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<MessagePort | undefined>) => {
      this.#to = data;
      this.#ended = data === undefined;
    };
  }

  process([planes]: readonly (readonly Float32Array[])[]): boolean {
    const [first] = planes ?? [];
    if (this.#to === undefined || first === undefined) return !this.#ended;
    for (let i = 0; i < first.length; i++) {
      let sum = 0;
      for (const plane of planes ?? []) sum += plane[i] ?? 0;
      this.#piece[this.#filled++] = sum / (planes?.length ?? 1);
      if (this.#filled === this.#piece.length) this.#send(this.#to);
    }
    return !this.#ended;
  }

  #send(to: MessagePort): void {
    const samples = this.#piece;
    this.#piece = new Float32Array(samples.length);
    this.#filled = 0;
    to.postMessage({ samples, at: Date.now() } satisfies Heard, [samples.buffer]);
  }
}

registerProcessor("parlante-capture", Capture);
