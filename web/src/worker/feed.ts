import { MOTION_FPS, SPEECH_RATE } from "../rates.js";
import type { Phones } from "../wasm/parlante.js";
import type { Stream } from "./sound.js";

/** Samples that belong to one frame of motion. */
export const SAMPLES = SPEECH_RATE / MOTION_FPS;
/** Frames that are made in one go: few enough to keep the picture moving meanwhile. */
const BATCH = 4;

/** Makes motion from speech, chunk by chunk; it looks ahead a little, so that frames come later than their samples. */
export interface MotionMaker {
  /** Values of one frame. */
  readonly width: number;
  /** Takes speech (16 kHz, mono) and answers the frames that are complete, one after another. */
  push(samples: Float32Array): Float32Array;
  /** Answers what is left after the last sample. */
  finish(): Float32Array;
  /** From the next sample on, which is second `from` of the phones, the lips follow `phones`. */
  followPhones(phones: Phones, from: number): void;
  /** The lips follow the sound again. */
  followSound(): void;
}

/** `a` and `b` mixed: 0 is `a`, 1 is `b`. */
export function mix(a: Float32Array, b: Float32Array, weight: number, out: Float32Array): Float32Array {
  for (let i = 0; i < out.length; i++) out[i] = (a[i] ?? 0) * (1 - weight) + (b[i] ?? 0) * weight;
  return out;
}

/**
 * The endless stream of motion behind the live face. Speech is fed in as it is needed, silence where there is none:
 * the motion maker never stops, so that the head moves on smoothly from idling to speaking and back.
 */
export class MotionFeed {
  /** Frames that are ready, the oldest first; the first one is frame number `#head` of the maker. */
  readonly #ready: Float32Array[] = [];
  #head = 0;
  /** Frames' worth of samples that the maker was given. */
  #pushed = 0;
  /** Maker frame that belongs to second `#origin` of the time line. */
  #zero = 0;
  #origin = 0;
  #voice: Stream<Float32Array> | undefined;
  /** Samples of the voice that wait for a full batch. */
  #rest: Float32Array = new Float32Array(0);
  readonly #batch = new Float32Array(BATCH * SAMPLES);
  /** Samples that came by themselves and do not fill a frame yet. */
  #loose = 0;

  constructor(private readonly maker: MotionMaker) {}

  /**
   * Starts a new time line: the next samples are the voice's (or silence), and they belong to second `origin`. With
   * `phones` the lips follow these. Frames of the old time line that were not shown yet are dropped.
   */
  begin(voice: Stream<Float32Array> | undefined, origin: number, phones?: Phones): void {
    this.#voice?.close();
    if (this.#loose > 0) this.hear(new Float32Array(SAMPLES - this.#loose));
    if (phones === undefined) this.maker.followSound();
    else this.maker.followPhones(phones, origin);
    this.#voice = voice;
    this.#rest = new Float32Array(0);
    this.#zero = this.#pushed;
    this.#origin = origin;
  }

  /** Seconds of the time line up to which frames are ready. */
  get until(): number {
    return this.#origin + (this.#head + this.#ready.length - this.#zero) / MOTION_FPS;
  }

  /** The voice has been read to its end (or there is none). */
  get silent(): boolean {
    return this.#voice === undefined;
  }

  /** How many frames are ready and not yet forgotten. */
  get waiting(): number {
    return this.#ready.length;
  }

  /** Makes one batch of frames. */
  advance(): void {
    this.#fill();
    const frames = this.maker.push(this.#batch);
    this.#pushed += BATCH;
    this.#keep(frames);
  }

  /** Takes speech that comes by itself, in pieces of any length, in place of what {@link advance} would fetch. */
  hear(samples: Float32Array): void {
    const frames = this.maker.push(samples);
    const whole = this.#loose + samples.length;
    this.#loose = whole % SAMPLES;
    this.#pushed += (whole - this.#loose) / SAMPLES;
    this.#keep(frames);
  }

  #keep(frames: Float32Array): void {
    const { width } = this.maker;
    for (let at = 0; at < frames.length; at += width) this.#ready.push(frames.subarray(at, at + width));
  }

  /** Fills the batch from the voice, and with silence after its end. */
  #fill(): void {
    let filled = 0;
    while (filled < this.#batch.length) {
      if (this.#rest.length === 0) {
        const next = this.#voice?.next();
        if (next === undefined) {
          this.#voice?.close();
          this.#voice = undefined;
          this.#batch.fill(0, filled);
          return;
        }
        this.#rest = next;
      }
      const part = this.#rest.subarray(0, this.#batch.length - filled);
      this.#batch.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
  }

  /** The motion at a second of the time line; frames before it are forgotten. `false` where none is ready yet. */
  at(second: number, out: Float32Array): boolean {
    const place = this.#zero + (second - this.#origin) * MOTION_FPS;
    const index = Math.max(this.#zero, Math.floor(place));
    const forget = Math.min(index - this.#head, this.#ready.length - 1);
    if (forget > 0) {
      this.#ready.splice(0, forget);
      this.#head += forget;
    }
    const now = this.#ready[index - this.#head];
    // Too late for a frame that is not made yet: hold the newest of this time line.
    const last = this.#head + this.#ready.length - 1 >= this.#zero ? this.#ready.at(-1) : undefined;
    const next = this.#ready[index + 1 - this.#head];
    if (now === undefined) {
      if (last === undefined) return false;
      out.set(last);
      return true;
    }
    mix(now, next ?? now, Math.min(1, Math.max(0, place - index)), out);
    return true;
  }

  /** Lets go of the voice. */
  close(): void {
    this.#voice?.close();
    this.#voice = undefined;
  }
}
