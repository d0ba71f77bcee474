import { Outlet } from "./outlet.js";
import type { SoundChunk } from "./protocol.js";
import { SOUND_RATE } from "./rates.js";
import { heardOf, onAsleep, wake } from "./wake.js";

/** Sound that is scheduled ahead of what is heard, seconds. */
const AHEAD = 1.2;
/** From the decision to start until the first sample is due, seconds. */
const LEAD = 0.06;
/** How often the scheduled sound is topped up and the clock is read again, milliseconds. */
const TICK = 200;

/** What the player needs from its owner. */
export interface PlayerHost {
  /** The next piece of sound, or the one at `from`; `undefined` after the end. */
  sound(from: number | undefined): Promise<SoundChunk | undefined>;
  /** Second `media` is heard at `epoch` (milliseconds since 1970). */
  onClock(media: number, epoch: number): void;
  /** The last sample was heard. */
  onEnd(): void;
  /** The sound device was taken away in the middle of the sound. */
  onAsleep(): void;
  onFailure(error: unknown): void;
}

/** Plays a recording piece by piece through Web Audio, and knows exactly which second is heard. */
export class Player {
  #volume = 1;
  #open: { readonly context: AudioContext; readonly gain: GainNode } | undefined;
  #outlet: Outlet | undefined;
  /** Grows with every start and stop, so that late answers for an old one are dropped. */
  #generation = 0;
  /** Second `#media` is scheduled for context time `#start`. */
  #media = 0;
  #start = 0;
  /** Context time up to which sound is scheduled. */
  #until = 0;
  #ended = false;
  #playing = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly host: PlayerHost) {}

  /** The sound device, opened when it is first needed: browsers complain about one without a click. */
  get #device() {
    if (this.#open === undefined) {
      const context = new AudioContext({ latencyHint: "interactive", sampleRate: SOUND_RATE });
      const gain = context.createGain();
      gain.gain.value = this.#volume;
      gain.connect(context.destination);
      onAsleep(context, () => this.#playing && this.host.onAsleep());
      this.#open = { context, gain };
    }
    return this.#open;
  }

  get #context(): AudioContext {
    return this.#device.context;
  }

  get volume(): number {
    return this.#volume;
  }

  set volume(value: number) {
    this.#volume = Math.min(1, Math.max(0, value));
    this.#open?.gain.gain.setTargetAtTime(this.#volume, this.#context.currentTime, 0.01);
  }

  /** The second that is heard now. */
  get second(): number {
    if (!this.#playing) return this.#media;
    return Math.max(this.#media, this.#media + heardOf(this.#context) - this.#start);
  }

  /** Wakes the sound device; browsers want a click for it. */
  wake(): Promise<void> {
    return wake(this.#context, "The browser wants a click before it makes sound. Please press play again.");
  }

  /** Starts at a second of the recording. */
  async play(from: number): Promise<void> {
    this.stop();
    const generation = this.#generation;
    await this.wake();
    const first = await this.host.sound(from);
    if (generation !== this.#generation) return;
    this.#media = from;
    this.#start = this.#context.currentTime + LEAD;
    this.#until = this.#start;
    this.#ended = first === undefined;
    this.#playing = true;
    this.#outlet = new Outlet(this.#context, this.#device.gain);
    if (first !== undefined) this.#schedule(first);
    this.#timer = setInterval(() => void this.#tick(generation), TICK);
    this.#tellClock();
    await this.#tick(generation);
  }

  /** Stops the sound; {@link second} stays where it is. */
  stop(): void {
    this.#media = this.second;
    this.#playing = false;
    this.#generation += 1;
    clearInterval(this.#timer);
    this.#outlet?.cut();
    this.#outlet = undefined;
  }

  /** Sets the second that the next start is meant from. */
  place(second: number): void {
    this.#media = second;
  }

  async close(): Promise<void> {
    this.stop();
    await this.#open?.context.close();
  }

  async #tick(generation: number): Promise<void> {
    try {
      while (!this.#ended && this.#until < this.#context.currentTime + AHEAD) {
        const chunk = await this.host.sound(undefined);
        if (generation !== this.#generation) return;
        if (chunk === undefined) this.#ended = true;
        else this.#schedule(chunk);
      }
      if (generation !== this.#generation) return;
      this.#tellClock();
      if (this.#ended && heardOf(this.#context) >= this.#until) {
        this.stop();
        this.host.onEnd();
      }
    } catch (error) {
      this.stop();
      this.host.onFailure(error);
    }
  }

  #schedule(chunk: SoundChunk): void {
    const [first] = chunk.planes;
    if (first === undefined || first.length === 0) return;
    // Late because the machine was busy: the sound goes on from now, and the clock with it.
    const late = this.#context.currentTime - this.#until;
    if (late > 0) {
      this.#start += late;
      this.#until += late;
    }
    this.#outlet?.play(chunk.planes, this.#until);
    this.#until += first.length / SOUND_RATE;
  }

  #tellClock(): void {
    const now = performance.timeOrigin + performance.now();
    this.host.onClock(this.#media, now + (this.#start - heardOf(this.#context)) * 1000);
  }
}
