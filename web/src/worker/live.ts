import type { Backend, LiveDelay, Took } from "../protocol.js";
import { LOOK_AHEAD, MOTION_FPS } from "../rates.js";
import type { Ear } from "./ear.js";
import { MotionFeed, type MotionMaker, mix, SAMPLES } from "./feed.js";
import { Hush } from "./mouth.js";
import { epoch, FRAME, Pace } from "./pace.js";
import type { Spent } from "./painters.js";
import type { Score } from "./score.js";
import type { Recording } from "./sound.js";

/** Makes pictures of motion. */
export interface Painter {
  readonly backend: Backend;
  /** What the last frame took. */
  readonly spent: Readonly<Spent>;
  /** Draws one frame over the whole canvas. */
  paint(motion: Float32Array, context: OffscreenCanvasRenderingContext2D): void | Promise<void>;
}

/** What the live face tells about itself, about once a second. */
export interface LiveStats {
  fps: number;
  frameMs: number;
  dropped: number;
  /** Where the face listens to live sound. */
  live: LiveDelay | undefined;
}

/** Motion that is made ahead of the clock, seconds. */
const AHEAD = 0.32;
/** Where the motion reaches less far than this, it is made before anything is painted, seconds. */
const SHORT = 2 / MOTION_FPS;
/** Where sound does not come in time, silence takes its place when the motion reaches no farther than this, seconds. */
const BARELY = 0.06;
/** Frames of pushed sound that are made in one go. */
const BATCH = 4;
/** Speech before the first shown frame, from which the motion maker gets its bearings, seconds. */
const WARM_UP = 0.48;
/** After a jump in time the face glides from its last expression into the new one, seconds. */
const GLIDE = 0.2;

/** Which time the face lives in. */
type Time =
  | { readonly mode: "idle"; readonly since: number }
  | { readonly mode: "cued"; readonly from: number }
  | { readonly mode: "playing"; readonly media: number; readonly epoch: number }
  | { readonly mode: "speaking"; readonly score: Score; readonly media: number; readonly epoch: number }
  | { readonly mode: "listening"; readonly ear: Ear }
  | { readonly mode: "frozen" };

/**
 * Who wants to know what is painted: the second of the sound (`undefined` while the face idles), the motion, when it was
 * painted (as {@link epoch} tells it) and what it took, milliseconds.
 */
export type Watcher = (time: number | undefined, motion: Float32Array, at: number, took: Took) => void;

/** The living face on the canvas: idle without a voice, in time with the sound where one is heard. */
export class Live {
  /** Hears of every painted frame. */
  watcher: Watcher | undefined;
  #feed: MotionFeed;
  #time: Time = { mode: "idle", since: epoch() };
  #recording: Recording | undefined;
  #visible = true;
  #held = false;
  #running = false;
  readonly #now: Float32Array;
  readonly #shown: Float32Array;
  readonly #glideFrom: Float32Array;
  readonly #hush = new Hush();
  readonly #pace = new Pace();
  readonly #batch = new Float32Array(BATCH * SAMPLES);
  #glideStart = Number.NEGATIVE_INFINITY;
  /** Milliseconds that the motion took since the last frame. */
  #made = 0;
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
    const time = this.#time;
    if (time.mode === "listening") this.listen(time.ear);
    else if (time.mode === "speaking") {
      this.#attune(time.score, (this.#second() ?? 0) - WARM_UP);
      this.#jump(time);
    } else this.#leave();
  }

  /** No voice: the face is alive by itself. Unless all was said (`over`), the mouth shuts at once. */
  idle(over = false): void {
    if (this.#time.mode === "idle") return;
    const second = this.#second();
    if (over && second !== undefined && this.#silent) {
      // The motion that is already made goes on, so that nothing jumps.
      this.#time = { mode: "idle", since: epoch() - second * 1000 };
      return;
    }
    this.#hush.begin(epoch() / 1000);
    this.#leave();
  }

  /** Nothing but silence is to come, and the lips follow the sound. */
  get #silent(): boolean {
    if (this.#time.mode === "speaking") return this.#time.score.known === 0;
    return this.#time.mode === "playing" && this.#feed.silent && this.#recording?.phones === undefined;
  }

  /** Another time line, without a voice. */
  #leave(): void {
    this.#feed.begin(undefined, 0);
    this.#jump({ mode: "idle", since: epoch() });
  }

  /** Sound is pushed from now on: second `media` of its time line is heard at `epoch`. */
  speak(score: Score, media: number, at: number): void {
    this.#feed.begin(undefined, score.at);
    this.#jump({ mode: "speaking", score, media, epoch: at });
  }

  /** Starts the motion of pushed sound at a second of its time line. */
  #attune(score: Score, second: number): void {
    score.seek(second);
    this.#feed.begin(undefined, second);
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
    ear.onSkip = (second) => {
      this.#feed.begin(undefined, second);
      this.#glide();
    };
    this.#jump({ mode: "listening", ear });
  }

  /** The voice's second `media` is heard at `epoch`. Cued before, or a correction while it plays. */
  clock(media: number, at: number): void {
    if (this.#time.mode === "speaking") {
      this.#time = { ...this.#time, media, epoch: at };
      return;
    }
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
    if (!held && this.#time.mode !== "frozen") this.#leave();
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
    if (time.mode !== "idle") this.#hush.end(epoch() / 1000);
    this.#glide();
  }

  /** From what is shown now the face glides into what comes. */
  #glide(): void {
    this.#glideFrom.set(this.#shown);
    this.#glideStart = epoch();
  }

  async #loop(): Promise<void> {
    try {
      while (this.#visible && !this.#held) {
        const started = epoch();
        await this.#step();
        await this.#pace.next(this.painter.backend, started);
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
    if (this.#feed.until < second + SHORT) this.#make(second);
    if (!this.#feed.at(second, this.#now)) return;
    const glide = (epoch() - this.#glideStart) / 1000 / GLIDE;
    if (glide < 1) mix(this.#glideFrom, this.#now, smooth(glide), this.#now);
    this.#hush.apply(epoch() / 1000, this.#now);
    this.#shown.set(this.#now);
    const painting = epoch();
    await this.painter.paint(this.#shown, this.context);
    const painted = epoch();
    this.#record(painted - painting);
    const time = this.#time.mode === "idle" ? undefined : second;
    this.watcher?.(time, this.#shown, painted, { motion: this.#made, ...this.painter.spent });
    this.#made = 0;
    // After the picture, which is waited for: made before it, every fifth one would come late.
    this.#make(second);
  }

  /** Makes motion ahead of a second of the time line. */
  #make(second: number): void {
    const from = epoch();
    if (this.#time.mode !== "listening") this.#advance(second, from);
    this.#made += epoch() - from;
  }

  #advance(second: number, from: number): void {
    const time = this.#time;
    // Far behind after a sleep: what nobody saw is not made up for, the motion goes on from here.
    if (second > this.#feed.until + 1) {
      if (time.mode === "speaking") this.#attune(time.score, second - WARM_UP);
      else if (time.mode === "playing" && this.#recording !== undefined) this.#listen(this.#recording, second);
      else {
        this.#leave();
        return;
      }
    }
    while (this.#feed.until < second + AHEAD && epoch() - from < FRAME * 2) {
      if (time.mode !== "speaking") this.#feed.advance();
      else if (!this.#read(time.score, second)) return;
    }
  }

  /** Makes motion of pushed sound; `false` where it is better to wait for more of it. */
  #read(score: Score, second: number): boolean {
    const whole = score.known >= this.#batch.length;
    if (!whole && this.#feed.until > second + BARELY) return false;
    const samples = whole ? this.#batch : this.#batch.subarray(0, SAMPLES);
    score.read(samples);
    this.#feed.hear(samples);
    return true;
  }

  /** The second of the time line that belongs on the canvas now. */
  #second(): number | undefined {
    switch (this.#time.mode) {
      case "idle":
        return (epoch() - this.#time.since) / 1000;
      case "playing":
      case "speaking":
        return this.#time.media + (epoch() - this.#time.epoch) / 1000;
      case "listening":
        this.#time.ear.hear();
        return this.#time.ear.second(epoch(), this.#feed.until);
      default:
        return undefined;
    }
  }

  /** How far the face is behind live sound, and why. */
  get #delay(): LiveDelay | undefined {
    if (this.#time.mode !== "listening") return undefined;
    const { delay, lost } = this.#time.ear;
    return { delay: delay * 1000, lookAhead: LOOK_AHEAD * 1000, step: 1000 / MOTION_FPS, lost: lost * 1000 };
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
    const frameMs = count.spent / count.frames;
    this.onStats({ fps: count.frames / seconds, frameMs, dropped: count.dropped, live: this.#delay });
    this.#count = { frames: 0, spent: 0, dropped: 0, since: now, last: now };
  }
}

/** Starts and ends gently: 0..1 to 0..1. */
function smooth(x: number): number {
  return x * x * (3 - 2 * x);
}
