import { Outlet } from "./outlet.js";
import type { Pieces } from "./pcm.js";
import { heardOf, onAsleep, wake } from "./wake.js";

/** Sound that is scheduled ahead of what is heard, seconds: more than a hidden tab sleeps between two timers. */
const AHEAD = 1.5;
/** From the first piece (or one that came late) to the moment it is heard, seconds: absorbs the jitter of those after. */
const LEAD = 0.3;
/** The face needs sound so long before it is heard, seconds: a piece that comes later makes a pause. */
const KEEP = 0.18;
/** Longest piece that is handed on at once, seconds. */
const SLICE = 0.5;
/** How often it is seen what is heard, and how often the clock is told, milliseconds. */
const TICK = 40;
const CLOCK = 200;

/** Something to say: mono sound at `rate` hertz, in pieces. */
export interface Utterance {
  readonly rate: number;
  readonly pieces: Pieces;
}

/** What the speech needs from its owner. */
export interface SpeechHost {
  /** A time line begins: pieces come at `rate` hertz, second `media` is heard at `epoch` (milliseconds since 1970). */
  onOpen(rate: number, media: number, epoch: number): void;
  /** Sound whose first sample is heard at second `at`. The array is the host's now. */
  onPiece(samples: Float32Array, at: number): void;
  onClock(media: number, epoch: number): void;
  /** An utterance begins to be heard; it is over, or was cut. */
  onStart(): void;
  onEnd(interrupted: boolean): void;
  /** Everything was heard. */
  onRest(): void;
  /** The sound device was taken away in the middle of the sound; it is asked for again. */
  onAsleep(): void;
  onFailure(error: unknown): void;
}

/** Something that happens when a time of the context is heard. */
interface Mark {
  readonly at: number;
  readonly begins: boolean;
}

/** Says utterances one after another: pulls their pieces, plays them without a gap, and tells the face what is heard. */
export class Speech {
  #volume = 1;
  #device: { readonly context: AudioContext; readonly gain: GainNode } | undefined;
  #outlet: Outlet | undefined;
  readonly #queue: Utterance[] = [];
  readonly #marks: Mark[] = [];
  /** When the utterance that is heard began, by the context's clock. */
  #began: number | undefined;
  /** Grows with every interruption, so that late answers for an old one are dropped. */
  #generation = 0;
  #running = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #told = 0;
  readonly #flushing: (() => void)[] = [];

  constructor(private readonly host: SpeechHost) {}

  /** Something is said, or about to be. */
  get active(): boolean {
    return this.#running;
  }

  set volume(value: number) {
    this.#volume = value;
    this.#device?.gain.gain.setTargetAtTime(value, this.#device.context.currentTime, 0.01);
  }

  /** The second of the utterance that is heard at a second of the time line; 0 between two. */
  placeOf(second: number): number {
    return this.#began === undefined ? 0 : Math.max(0, second - this.#began);
  }

  /** Says an utterance after those that wait. Resolves as soon as the sound device is awake. */
  async add(utterance: Utterance): Promise<void> {
    this.#queue.push(utterance);
    if (this.#running) return;
    this.#running = true;
    const generation = this.#generation;
    try {
      await this.#open(utterance.rate);
    } catch (error) {
      if (generation === this.#generation) this.interrupt();
      throw error;
    }
    if (generation === this.#generation) void this.#run(generation);
  }

  /** Resolves when everything that was added is heard or was interrupted. */
  flush(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => this.#flushing.push(resolve));
  }

  /** Falls silent within 30 ms; what waits is dropped. */
  interrupt(): void {
    if (!this.#running) return;
    for (const { pieces } of this.#queue.splice(0)) pieces.cancel();
    this.#rest();
    if (this.#began !== undefined) {
      this.#began = undefined;
      this.host.onEnd(true);
    }
  }

  async close(): Promise<void> {
    this.interrupt();
    await this.#device?.context.close();
    this.#device = undefined;
  }

  #rest(): void {
    this.#generation += 1;
    this.#running = false;
    clearInterval(this.#timer);
    this.#marks.length = 0;
    this.#outlet?.cut();
    this.#outlet = undefined;
    for (const resolve of this.#flushing.splice(0)) resolve();
  }

  /** Gets a sound device of this rate ready: the browser fits it to the loudspeaker's, without seams between pieces. */
  async #open(rate: number): Promise<void> {
    const generation = this.#generation;
    if (this.#device?.context.sampleRate !== rate) {
      void this.#device?.context.close();
      const context = new AudioContext({ latencyHint: "interactive", sampleRate: rate });
      const gain = context.createGain();
      gain.gain.value = this.#volume;
      gain.connect(context.destination);
      onAsleep(context, () => {
        if (!this.#running) return;
        this.host.onAsleep();
        // Where the browser does not give it back by itself, the next thing that is said asks again.
        context.resume().catch(() => {});
      });
      this.#device = { context, gain };
    }
    const { context, gain } = this.#device;
    await wake(context, "The browser wants a click before it makes sound. Please let a click lead to it.");
    if (generation !== this.#generation) return;
    this.#outlet?.cut();
    this.#outlet = new Outlet(context, gain);
    this.host.onOpen(rate, ...this.#clock(context));
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  /** A second of the context that is heard now, and now in milliseconds since 1970. */
  #clock(context: AudioContext): [number, number] {
    return [heardOf(context), performance.timeOrigin + performance.now()];
  }

  async #run(generation: number): Promise<void> {
    const stale = () => generation !== this.#generation;
    try {
      for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
        if (this.#device?.context.sampleRate !== next.rate) {
          while (!stale() && !this.#heardOut) await sleep(TICK);
          if (!stale()) await this.#open(next.rate);
        }
        if (stale()) return;
        await this.#say(next, stale);
        if (stale()) return;
        this.#queue.shift();
        // Another one may come while the last is heard.
        while (!stale() && this.#queue.length === 0 && !this.#heardOut) await sleep(TICK);
        if (stale()) return;
      }
      this.#rest();
      this.host.onRest();
    } catch (error) {
      if (stale()) return;
      this.interrupt();
      this.host.onFailure(error);
    }
  }

  /** Everything that is scheduled was heard and told. */
  get #heardOut(): boolean {
    return this.#marks.length === 0 && this.#began === undefined;
  }

  async #say({ pieces, rate }: Utterance, stale: () => boolean): Promise<void> {
    let begun = false;
    for (;;) {
      const piece = await pieces.next();
      if (stale()) return;
      if (piece === undefined) break;
      for (const slice of slices(piece, SLICE * rate)) {
        const at = this.#schedule(slice);
        if (!begun) this.#marks.push({ at, begins: true });
        begun = true;
        while (!stale() && this.#left > AHEAD) await sleep(TICK);
        if (stale()) return;
      }
    }
    if (begun) this.#marks.push({ at: this.#outlet?.until ?? 0, begins: false });
  }

  /** Seconds of scheduled sound that the context has not played yet. */
  get #left(): number {
    if (this.#device === undefined || this.#outlet === undefined) return 0;
    return this.#outlet.until - this.#device.context.currentTime;
  }

  /** Schedules a piece after those before, or a little later where these are nearly over; answers when it is heard. */
  #schedule(samples: Float32Array): number {
    if (this.#device === undefined || this.#outlet === undefined) return 0;
    const { context } = this.#device;
    const wanted = this.#left < KEEP ? context.currentTime + LEAD : this.#outlet.until;
    const at = Math.round(wanted * context.sampleRate) / context.sampleRate;
    this.#outlet.play([samples], at);
    this.host.onPiece(samples, at);
    return at;
  }

  #tick(): void {
    if (this.#device === undefined) return;
    const [heard, now] = this.#clock(this.#device.context);
    // Where the sound stands still, the face must not run away from it.
    if (now - this.#told >= CLOCK || this.#device.context.state !== "running") {
      this.#told = now;
      this.host.onClock(heard, now);
    }
    while (this.#marks[0] !== undefined && this.#marks[0].at <= heard) {
      const { at, begins } = this.#marks[0];
      this.#marks.shift();
      this.#began = begins ? at : undefined;
      if (begins) this.host.onStart();
      else this.host.onEnd(false);
    }
  }
}

/** Parts of at most `most` samples, each an array of its own. */
function* slices(samples: Float32Array, most: number): Generator<Float32Array> {
  for (let at = 0; at < samples.length; at += most) yield samples.slice(at, at + most);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
