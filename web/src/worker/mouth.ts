// What the mouth does in a frame of motion, told from ARKit's coefficients.

import type { VisemeName } from "../protocol.js";

/** Places of coefficients in a frame of motion. */
const JAW_OPEN = 17;
const MOUTH_CLOSE = 18;
const FUNNEL = 19;
const PUCKER = 20;
const STRETCH = [29, 30] as const;
const ROLL_LOWER = 31;
const PRESS = [35, 36] as const;
const LOWER_DOWN = [37, 38] as const;
const UPPER_UP = [39, 40] as const;
const TONGUE_OUT = 51;
const TONGUE_UP = 52;

/** What holds a mouth open, or belongs to speech alone; without these it rests shut. */
const SPOKEN = [JAW_OPEN, MOUTH_CLOSE, FUNNEL, PUCKER, ...STRETCH, ...LOWER_DOWN, ...UPPER_UP, TONGUE_OUT, TONGUE_UP];

/** How fast a mouth is shut that must not speak on, how long it is held, and how slowly it is let go, seconds. */
const SHUT = 0.05;
const HELD = 0.45;
const LET_GO = 0.25;

/** Shuts a mouth that was interrupted, and lets go of it when what was said has died away. */
export class Hush {
  #since = Number.NEGATIVE_INFINITY;

  /** From `now` on (seconds) the mouth shuts. */
  begin(now: number): void {
    this.#since = now;
  }

  /** From `now` on the mouth is needed again. */
  end(now: number): void {
    this.#since = Math.min(this.#since, now - SHUT - HELD);
  }

  /** Changes a frame that is shown at `now`. */
  apply(now: number, motion: Float32Array): void {
    const age = now - this.#since;
    if (age >= SHUT + HELD + LET_GO) return;
    const left = age < SHUT ? 1 - age / SHUT : Math.max(0, (age - SHUT - HELD) / LET_GO);
    for (const place of SPOKEN) motion[place] = (motion[place] ?? 0) * left;
  }
}

/** Between the inner lips, roughly, centimetres: as the articulation of the motion has it. */
export function openingOf(motion: Float32Array): number {
  const at = (place: number) => motion[place] ?? 0;
  const mean = ([left, right]: readonly [number, number]) => (at(left) + at(right)) / 2;
  const opened = 0.08 + 3.15 * at(JAW_OPEN) + 1.29 * at(FUNNEL) + 0.66 * (mean(LOWER_DOWN) + mean(UPPER_UP));
  return Math.max(0, opened - 3.855 * at(MOUTH_CLOSE) - 0.33 * at(ROLL_LOWER) - 0.25 * mean(PRESS));
}

/** The shape that the mouth makes: its name, and how clearly, 0..1. */
export function visemeOf(motion: Float32Array): { readonly name: VisemeName; readonly weight: number } {
  const at = (place: number) => motion[place] ?? 0;
  const mean = ([left, right]: readonly [number, number]) => (at(left) + at(right)) / 2;
  // Where each coefficient is when the mouth does nothing else.
  const pressed = mean(PRESS) / 0.25;
  const tucked = (at(ROLL_LOWER) - 0.1 * pressed) / 0.3;
  const rounded = at(PUCKER) / 0.55;
  const spread = mean(STRETCH) / 0.28;
  const opened = openingOf(motion) / 1.2;
  const shapes: [VisemeName, number][] = [
    ["PP", pressed],
    ["FF", tucked],
    ["DD", at(TONGUE_UP)],
    ["aa", opened * (1 - rounded)],
    ["O", rounded * Math.min(1, 0.4 + opened)],
    ["U", rounded * (1 - opened)],
    ["I", spread],
  ];
  const [name, weight] = shapes.reduce((best, shape) => (shape[1] > best[1] ? shape : best));
  return weight < 0.2 ? { name: "sil", weight: Math.max(0, 1 - opened) } : { name, weight: Math.min(1, weight) };
}
