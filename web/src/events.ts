import { BLENDSHAPES } from "./blendshapes.js";
import type { ParlanteError } from "./errors.js";
import type { Latency } from "./latency.js";
import type { Backend, Notice, Took, VisemeName, WorkerEvents } from "./protocol.js";

/** What a {@link Parlante} is doing. */
export type State = "empty" | "idle" | "starting" | "playing" | "paused" | "speaking" | "live" | "saving";

/** A frame that was painted. */
export interface Frame {
  /** The second of the sound that the frame belongs to; `undefined` while the face idles. */
  readonly time: number | undefined;
  /** A coefficient for each of {@link BLENDSHAPES}, from the portrait's own expression, about 0..1. */
  readonly blendshapes: Float32Array;
  /** Change of the head from the portrait's own pose: degrees, face heights, and a factor. */
  readonly head: {
    readonly yaw: number;
    readonly pitch: number;
    readonly roll: number;
    readonly x: number;
    readonly y: number;
    readonly scale: number;
  };
  /** Change of the gaze from the portrait's own, degrees: `x` to the picture's right, `y` down. */
  readonly gaze: { readonly x: number; readonly y: number };
  /** When it was painted: milliseconds since 1970, finer than `Date.now`. */
  readonly at: number;
  /** What it took, milliseconds. */
  readonly took: Took;
}

/** A shape that the mouth goes over to. */
export interface Viseme {
  /** The second of the sound; `undefined` while the face idles. */
  readonly time: number | undefined;
  readonly name: VisemeName;
  /** How clearly the mouth has the shape, 0..1. */
  readonly weight: number;
}

/** How the face is made, over the last second. */
export interface Stats {
  /** Frames a second. */
  readonly fps: number;
  /** Milliseconds for each. */
  readonly frameMs: number;
  /** Frames that were left out, because the machine was late. */
  readonly dropped: number;
  /** How far the face is behind live sound; `undefined` where it listens to none. */
  readonly latency: Latency | undefined;
  /** Live sound that did not come, or came while nobody could look, milliseconds since listening began. */
  readonly lost: number;
  readonly backend: Backend;
  /** Pixels along a side that the live picture is made at. */
  readonly size: number;
}

/** Events: name and what listeners are given. */
export interface Events {
  state: State;
  /** A sound begins to be heard. One `end` belongs to each `start`. */
  start: undefined;
  /** The mouth goes over to another shape; told when it is painted. */
  viseme: Viseme;
  /** A frame was painted, up to 30 times a second. */
  frame: Frame;
  /** The sound that started is over: heard to its end, or `interrupted` by a call of this object. */
  end: { readonly interrupted: boolean };
  /** Nothing is left to say: the face lives by itself. */
  idle: undefined;
  stats: Stats;
  notice: Notice;
  error: ParlanteError;
}

/** A frame of motion, as the worker tells it, by names. */
export function frameOf(time: number | undefined, { motion, at, took }: WorkerEvents["frame"]): Frame {
  const [yaw = 0, pitch = 0, roll = 0, x = 0, y = 0, scale = 1, gazeX = 0, gazeY = 0] = motion.subarray(
    BLENDSHAPES.length,
  );
  return {
    time,
    blendshapes: motion.subarray(0, BLENDSHAPES.length),
    head: { yaw, pitch, roll, x, y, scale },
    gaze: { x: gazeX, y: gazeY },
    at,
    took,
  };
}

type Listener<T> = (data: T) => void;

/** Listeners by the names of the events in `E`. */
export class Emitter<E> {
  readonly #listeners = new Map<keyof E, Set<Listener<never>>>();

  /** `onChange` hears which events are listened to whenever that changes. */
  constructor(private readonly onChange: () => void = () => {}) {}

  /** Listens to an event; the answer ends it. */
  on<K extends keyof E>(event: K, listener: Listener<E[K]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as Listener<never>));
    this.onChange();
    return () => {
      listeners.delete(listener as Listener<never>);
      this.onChange();
    };
  }

  /** Whether anybody listens. */
  has(event: keyof E): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  emit<K extends keyof E>(event: K, data: E[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as Listener<E[K]>)(data);
  }
}
