import type { Heard } from "../capture-worklet.js";
import { SPEECH_RATE } from "../rates.js";

/** Seconds by which the face follows the sound at first: look-ahead and step of the motion, and some for the way. */
const DELAY = 0.16;
const DELAY_MIN = 0.13;
const DELAY_MAX = 0.5;
/** A moment without motion makes the delay grow by so much; a second without one lets it shrink by so much, seconds. */
const GROW = 0.01;
const SHRINK = 0.002;
/** Sound that is missing for so long is taken for silence, seconds. */
const PATIENCE = 0.25;
/** How fast the two clocks may drift apart, a share of the time. */
const DRIFT = 5e-4;

/** Turns pieces of sound into speech at 16 kHz. */
export interface ToSpeech {
  push(samples: Float32Array): Float32Array;
  free(): void;
}

/**
 * Live sound at the face's end: hands it on as speech, and tells which second of it belongs on the canvas. Pieces may
 * come late and uneven; the earliest ones tell when the sound really began, so the face moves evenly.
 */
export class Ear {
  /** Takes the speech. */
  onSpeech: (samples: Float32Array) => void = () => {};
  #heard = 0;
  /** When the sound began, milliseconds since 1970. */
  #began: number | undefined;
  #last = 0;
  #delay = DELAY;

  constructor(
    private readonly port: MessagePort,
    private readonly rate: number,
    private readonly sound: ToSpeech,
  ) {
    port.onmessage = ({ data }: MessageEvent<Heard>) => this.hear(data);
  }

  /** How far the face is behind the sound, seconds. */
  get delay(): number {
    return this.#delay;
  }

  /** Seconds of sound that came. */
  get heard(): number {
    return this.#heard;
  }

  /** Takes one piece. */
  hear({ samples, at }: Heard): void {
    this.#heard += samples.length / this.rate;
    const began = at - this.#heard * 1000;
    if (this.#began === undefined) this.#began = began;
    else this.#began = Math.min(began, this.#began + (at - this.#last) * DRIFT);
    this.#last = at;
    this.onSpeech(this.sound.push(samples));
  }

  /**
   * The second of the sound that belongs on the canvas at `now` (milliseconds since 1970), where motion is there `until`
   * some second; `undefined` before the first sound.
   */
  second(now: number, until: number): number | undefined {
    if (this.#began === undefined) return undefined;
    const missing = (now - this.#last) / 1000;
    if (missing > PATIENCE) this.#fill(missing, now);
    const second = (now - this.#began) / 1000 - this.#delay;
    // The frame after this second is wanted too, to move evenly between both.
    if (second + 1 / 25 > until) this.#delay = Math.min(DELAY_MAX, this.#delay + GROW);
    else this.#delay = Math.max(DELAY_MIN, this.#delay - SHRINK / 25);
    return (now - this.#began) / 1000 - this.#delay;
  }

  /** The sound stays away: silence keeps the face alive. */
  #fill(seconds: number, now: number): void {
    this.#heard += seconds;
    this.#last = now;
    this.onSpeech(new Float32Array(Math.round(seconds * SPEECH_RATE)));
  }

  /** Ends listening. */
  close(): void {
    this.port.close();
    this.sound.free();
  }
}
