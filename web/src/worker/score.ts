import { SPEECH_RATE } from "../rates.js";
import type { ToSpeech } from "./ear.js";

/** Pieces that follow each other nearer than this are one sound, seconds. */
const JOINT = 0.002;

/** What was read is kept for so long, so that another motion maker can get its bearings from it, seconds. */
const KEPT = 1;

/** Speech with its place on a time line. */
interface Placed {
  /** Number of its first sample on the time line. */
  readonly start: number;
  readonly samples: Float32Array;
}

/**
 * Sound that is pushed, each piece with the second at which it will be heard, read as one stream of speech: silence
 * where nothing was pushed. What was read as silence before its sound came is lost to the lips, never to the clock.
 */
export class Score {
  readonly #placed: Placed[] = [];
  /** Number of the next sample that is read. */
  #at: number;
  /** Number of the sample after the last that was pushed, and the second of the sound where that was. */
  #end = Number.NEGATIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  /** Reading starts at second `from`; `sound` turns pieces at `rate` hertz into speech. */
  constructor(
    from: number,
    private readonly rate: number,
    private readonly sound: ToSpeech,
  ) {
    this.#at = Math.round(from * SPEECH_RATE);
  }

  /** Takes the next piece, whose first sample is heard at second `at`. */
  push(piece: Float32Array, at: number): void {
    // What belongs together stays together: the resampler holds a little back and gives it with the next piece.
    const start = Math.abs(at - this.#until) < JOINT ? this.#end : Math.round(at * SPEECH_RATE);
    const samples = this.sound.push(piece);
    this.#until = at + piece.length / this.rate;
    this.#end = start + samples.length;
    if (samples.length > 0) this.#placed.push({ start, samples });
  }

  /** How many samples can be read without making silence up; silence between pieces counts as known. */
  get known(): number {
    const last = this.#placed.at(-1);
    return last === undefined ? 0 : Math.max(0, last.start + last.samples.length - this.#at);
  }

  /** The second of the next sample that is read. */
  get at(): number {
    return this.#at / SPEECH_RATE;
  }

  /** Reading goes on at second `at`; what is long read counts as silence. */
  seek(at: number): void {
    this.#at = Math.round(at * SPEECH_RATE);
  }

  /** Fills `out` with the next samples. */
  read(out: Float32Array): void {
    out.fill(0);
    const end = this.#at + out.length;
    for (const { start, samples } of this.#placed) {
      const part = samples.subarray(Math.max(0, this.#at - start), Math.max(0, end - start));
      if (part.length > 0) out.set(part, Math.max(0, start - this.#at));
    }
    this.#at = end;
    const old = this.#at - KEPT * SPEECH_RATE;
    while (this.#placed[0] !== undefined && this.#placed[0].start + this.#placed[0].samples.length < old) {
      this.#placed.shift();
    }
  }

  /** Ends the time line. */
  close(): void {
    this.#placed.length = 0;
    this.sound.free();
  }
}
