import type { Backend } from "../protocol.js";
import type { Ear } from "./ear.js";
import { MotionFeed, type MotionMaker, mix } from "./feed.js";
import type { Recording } from "./sound.js";

/** Makes pictures of motion. */
export interface Painter {
  readonly backend: Backend;
  /** Draws one frame over the whole canvas. */
  paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): void | Promise<void>;
}

/** What the live face tells about itself, about once a second. */
export interface LiveStats {
  fps: number;
  frameMs: number;
  dropped: number;
  /** How far the face is behind live sound, milliseconds. */
  delay: number | undefined;
}

/** Motion that is made ahead of the clock, seconds. */
const AHEAD = 0.32;
/** Speech before the first shown frame, from which the motion maker gets its bearings, seconds. */
const WARM_UP = 0.48;
/** After a jump in time the face glides from its last expression into the new one, seconds. */
const GLIDE = 0.2;
/** Shortest time between two frames, milliseconds. */
const FRAME = 1000 / 30;

/** Milliseconds since 1970, finer than `Date.now`. */
export function epoch(): number {
  return performance.timeOrigin + performance.now();
}

/** Which time the face lives in. */
type Time =
  | { readonly mode: "idle"; readonly since: number }
  | { readonly mode: "cued"; readonly from: number }
  | { readonly mode: "playing"; readonly media: number; readonly epoch: number }
  | { readonly mode: "listening"; readonly ear: Ear }
  | { readonly mode: "frozen" };

/** The living face on the canvas: idle without a voice, in time with the sound where one is heard. */
export class Live {
  #feed: MotionFeed;
  #time: Time = { mode: "idle", since: epoch() };
  #recording: Recording | undefined;
  #visible = true;
  #held = false;
  #running = false;
  readonly #now: Float32Array;
  readonly #shown: Float32Array;
  readonly #glideFrom: Float32Array;
  #glideStart = Number.NEGATIVE_INFINITY;
  #count = { frames: 0, spent: 0, dropped: 0, since: epoch(), last: 0 };

  constructor(
    private readonly context: OffscreenCanvasRenderingContext2D,
    public painter: Painter,
    maker: MotionMaker,
    private readonly onStats: (stats: LiveStats) => void,
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.#feed = new MotionFeed(maker);
    this.#feed.begin(undefined, 0);
    this.#now = new Float32Array(maker.width);
    this.#shown = new Float32Array(maker.width);
    this.#glideFrom = new Float32Array(maker.width);
  }

  /** Exchanges the motion maker (a new portrait, a new seed); the face glides over. */
  restart(maker: MotionMaker): void {
    this.#feed.close();
    this.#feed = new MotionFeed(maker);
    if (this.#time.mode === "listening") this.listen(this.#time.ear);
    else this.idle();
  }

  /** No voice: the face is alive by itself. */
  idle(): void {
    this.#feed.begin(undefined, 0);
    this.#jump({ mode: "idle", since: epoch() });
  }

  /** Makes the first motion of the voice at `from` seconds, so that it is there when the sound starts. */
  cue(recording: Recording, from: number): void {
    this.#recording = recording;
    this.#listen(recording, from);
    this.#time = { mode: "cued", from };
  }

  #listen(recording: Recording, from: number): void {
    const start = Math.max(0, from - WARM_UP);
    this.#feed.begin(recording.mono(start), start, recording.phones);
    while (this.#feed.until < from + AHEAD) this.#feed.advance();
  }

  /** The face speaks with sound that comes live. */
  listen(ear: Ear): void {
    this.#feed.begin(undefined, ear.heard);
    ear.onSpeech = (samples) => this.#feed.hear(samples);
    this.#jump({ mode: "listening", ear });
  }

  /** The voice's second `media` is heard at `epoch`. Cued before, or a correction while it plays. */
  clock(media: number, at: number): void {
    const time: Time = { mode: "playing", media, epoch: at };
    if (this.#time.mode === "playing") this.#time = time;
    else this.#jump(time);
  }

  /** The picture stands still. */
  freeze(): void {
    this.#time = { mode: "frozen" };
  }

  /** Whether anybody can see the canvas: unseen, nothing is painted. */
  setVisible(visible: boolean): void {
    this.#visible = visible;
    this.start();
  }

  /** Leaves the canvas and the processor to somebody else (a video that is saved) until released. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held && this.#time.mode !== "frozen") this.idle();
    this.start();
  }

  /** Starts the loop where it does not run. */
  start(): void {
    if (this.#running || !this.#visible || this.#held) return;
    this.#running = true;
    void this.#loop();
  }

  #jump(time: Time): void {
    this.#time = time;
    this.#glideFrom.set(this.#shown);
    this.#glideStart = epoch();
  }

  async #loop(): Promise<void> {
    try {
      while (this.#visible && !this.#held) {
        const started = epoch();
        await this.#step();
        await pause(Math.max(0, FRAME - (epoch() - started)));
      }
    } catch (error) {
      this.onFailure(error);
    } finally {
      this.#running = false;
    }
  }

  async #step(): Promise<void> {
    const second = this.#second();
    if (second === undefined) return;
    const live = this.#time.mode === "listening";
    // Far behind after a sleep: what nobody saw is not made up for, the motion goes on from here.
    if (!live && second > this.#feed.until + 1) {
      if (this.#time.mode === "idle" || this.#recording === undefined) return this.idle();
      this.#listen(this.#recording, second);
    }
    const from = epoch();
    while (!live && this.#feed.until < second + AHEAD && epoch() - from < FRAME * 2) this.#feed.advance();
    if (!this.#feed.at(second, this.#now)) return;
    const glide = (epoch() - this.#glideStart) / 1000 / GLIDE;
    if (glide < 1) mix(this.#glideFrom, this.#now, smooth(glide), this.#now);
    this.#shown.set(this.#now);
    const painting = epoch();
    await this.painter.paint(this.#shown, this.context);
    this.#record(epoch() - painting);
  }

  /** The second of the time line that belongs on the canvas now. */
  #second(): number | undefined {
    switch (this.#time.mode) {
      case "idle":
        return (epoch() - this.#time.since) / 1000;
      case "playing":
        return this.#time.media + (epoch() - this.#time.epoch) / 1000;
      case "listening":
        return this.#time.ear.second(epoch(), this.#feed.until);
      default:
        return undefined;
    }
  }

  #record(spent: number): void {
    const count = this.#count;
    const now = epoch();
    if (count.last > 0) count.dropped += Math.max(0, Math.round((now - count.last) / 40) - 1);
    count.last = now;
    count.frames += 1;
    count.spent += spent;
    const seconds = (now - count.since) / 1000;
    if (seconds < 1) return;
    const delay = this.#time.mode === "listening" ? this.#time.ear.delay * 1000 : undefined;
    this.onStats({ fps: count.frames / seconds, frameMs: count.spent / count.frames, dropped: count.dropped, delay });
    this.#count = { frames: 0, spent: 0, dropped: 0, since: now, last: now };
  }
}

/** Starts and ends gently: 0..1 to 0..1. */
function smooth(x: number): number {
  return x * x * (3 - 2 * x);
}

/** Waits, and lets messages in. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
