import type { LiveDelay } from "./protocol.js";

/** How far the face is behind live sound, piece by piece, milliseconds. */
export interface Latency {
  /** From the air to the worker: what the browser tells of the device, and one piece of sound. */
  readonly capture: number;
  /** Sound that the lips of a moment hear beyond it. */
  readonly lookAhead: number;
  /** One step of the motion: a moment lies between two of its frames, and both must be known. */
  readonly step: number;
  /** Waiting for sound that comes unevenly, and for the conversion of its rate. */
  readonly jitter: number;
  /** Making the picture. The display's own delay comes on top: one or two of its frames. */
  readonly paint: number;
  /** All of it. `lookAhead` and `step` are the method's; the others are the machine's. */
  readonly total: number;
}

/** The pieces, from what the worker tells, the capture's delay (seconds) and the time of a picture (milliseconds). */
export function latencyOf({ delay, lookAhead, step }: LiveDelay, capture: number, paint: number): Latency {
  const pieces = { capture: capture * 1000, lookAhead, step, jitter: delay - lookAhead - step, paint };
  return { ...pieces, total: pieces.capture + delay + paint };
}
