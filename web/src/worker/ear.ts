import { MOTION_FPS, SPEECH_RATE } from "../rates.js";
import type { Listener, Source } from "./source.js";

/** How far the face is behind the sound before it is known how far it must be, seconds. */
const START = 0.13;
const DELAY_MAX = 0.5;
/** The face is so much farther behind than it had to be lately, seconds. */
const RESERVE = 0.003;
/** How long it is remembered how far the face had to be behind, milliseconds. */
const MEMORY = 3000;
/** How much faster or slower than the clock the face moves to come into step, a share of the time. */
const PULL = 0.05;
/** Farther from its place than this the face jumps, seconds. */
const JUMP = 0.3;
/** Sound that is missing for so long is taken for silence, seconds. */
const PATIENCE = 0.25;
/** Longest silence that is made up: after a sleep the motion begins anew, seconds. */
const SILENCE = 0.5;
/** How fast the two clocks may drift apart, a share of the time. */
const DRIFT = 5e-4;

/** Turns pieces of sound into speech at 16 kHz. */
export interface ToSpeech {
  push(samples: Float32Array): Float32Array;
  free(): void;
}

/**
 * Live sound at the face's end: hands it on as speech, and tells which second of it belongs on the canvas. Pieces may
 * come late and uneven; the earliest ones tell when the sound really began. The face follows as near as the motion
 * allows, and where that changes it hurries or lingers a little instead of jumping.
 */
export class Ear implements Listener {
  /** Takes the speech. */
  onSpeech: (samples: Float32Array) => void = () => {};
  /** Sound was left out: the next speech belongs to this second. */
  onSkip: (second: number) => void = () => {};
  #heard = 0;
  #lost = 0;
  /** When the sound began, milliseconds since 1970. */
  #began: number | undefined;
  #last = 0;
  /** The second that was on the canvas, and when. */
  #shown: number | undefined;
  #looked = 0;
  #delay = START;
  /** How far the face had to be behind, at most: in this span of time and in the one before. */
  #needed = [START - RESERVE, START - RESERVE] as [number, number];
  #span = 0;

  constructor(
    private readonly source: Source,
    private readonly rate: number,
    private readonly sound: ToSpeech,
  ) {}

  /** How far the face is behind the sound, seconds. */
  get delay(): number {
    return this.#delay;
  }

  /** Seconds of sound that came. */
  get heard(): number {
    return this.#heard;
  }

  /** Seconds of sound that did not come or came when nobody looked: silence took their place. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes what came since the last time. */
  hear(): void {
    this.source.poll(this);
  }

  take(samples: Float32Array, at: number): void {
    this.#heard += samples.length / this.rate;
    const began = at - this.#heard * 1000;
    if (this.#began === undefined) this.#began = began;
    else this.#began = Math.min(began, this.#began + (at - this.#last) * DRIFT);
    this.#last = at;
    this.onSpeech(this.sound.push(samples));
  }

  skip(samples: number): void {
    this.#leaveOut(samples / this.rate);
  }

  /**
   * The second of the sound that belongs on the canvas at `now` (milliseconds since 1970), where motion is there `until`
   * some second; `undefined` before the first sound.
   */
  second(now: number, until: number): number | undefined {
    if (this.#began === undefined) return undefined;
    const missing = (now - this.#last) / 1000;
    if (missing > PATIENCE) this.#fill(missing, now);
    const sounding = (now - this.#began) / 1000;
    // The frame after the shown second is wanted too, to move evenly between both.
    if (missing <= PATIENCE) this.#need(sounding + 1 / MOTION_FPS - until, now);
    const wanted = sounding - Math.min(DELAY_MAX, Math.max(this.#needed[0], this.#needed[1]) + RESERVE);
    const passed = (now - this.#looked) / 1000;
    const next = (this.#shown ?? wanted) + passed;
    const off = wanted - next;
    const pull = PULL * passed;
    this.#shown =
      this.#shown === undefined || Math.abs(off) > JUMP ? wanted : next + Math.min(pull, Math.max(-pull, off));
    this.#looked = now;
    this.#delay = sounding - this.#shown;
    return this.#shown;
  }

  /** Remembers how far the face had to be behind. */
  #need(delay: number, now: number): void {
    if (now - this.#span > MEMORY) {
      // The first span knows nothing yet of the time before.
      const before = this.#span === 0 ? this.#needed[0] : this.#needed[1];
      this.#needed = [before, delay];
      this.#span = now;
    }
    this.#needed[1] = Math.max(this.#needed[1], delay);
  }

  /** The sound stays away: silence keeps the face alive. */
  #fill(seconds: number, now: number): void {
    const silent = Math.min(seconds, SILENCE);
    if (seconds > silent) this.#leaveOut(seconds - silent);
    this.#heard += silent;
    this.#lost += silent;
    this.#last = now;
    this.onSpeech(new Float32Array(Math.round(silent * SPEECH_RATE)));
  }

  #leaveOut(seconds: number): void {
    this.#heard += seconds;
    this.#lost += seconds;
    this.onSkip(this.#heard);
  }

  /** Ends listening. */
  close(): void {
    this.source.close();
    this.sound.free();
  }
}
