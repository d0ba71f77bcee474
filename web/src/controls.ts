import { ParlanteError } from "./errors.js";

/** Moods a face can be given, each with a weight of its own. */
export const EMOTIONS = ["happy", "sad", "angry", "surprised", "afraid", "disgusted", "tender"] as const;

/** One of the {@link EMOTIONS}. */
export type Emotion = (typeof EMOTIONS)[number];

/** What a person can turn on a face. */
export interface Controls {
  /** Weight of each mood, 0..1; all 0: neutral. */
  readonly emotion: Readonly<Record<Emotion, number>>;
  /** Gaze from the portrait's own, degrees, -30..30: `x` to the picture's right, `y` down. */
  readonly gaze: { readonly x: number; readonly y: number };
  /** Size of the head: 1 is the portrait's own, above 1 is nearer; 0.7..1.4. */
  readonly distance: number;
  /** How much head, brows and eyes move: 0 still, 1 natural, 2 vivid. */
  readonly liveliness: number;
  /** How far the mouth opens: 0.5..1.5, 1 natural. */
  readonly articulation: number;
  /** How much the head moves by itself: 0 still, 1 natural, 2 vivid; a factor on `liveliness`. */
  readonly headMotion: number;
  /** How much the face listens instead of speaking, 0..1: the mouth rests, the head nods, the eyes stay on the viewer. */
  readonly listening: number;
  /** Blinks a minute, 0..60. */
  readonly blinkRate: number;
  /** Turn of the head from the portrait's own, degrees, -30..30: `yaw` to the picture's right, `pitch` down, `roll` clockwise. */
  readonly pose: { readonly yaw: number; readonly pitch: number; readonly roll: number };
  /** Which of the endless takes of the same speech: a whole number, 0..2^32 - 1. */
  readonly seed: number;
}

/** A change of some {@link Controls}; what is missing stays as it is. */
export type ControlsChange = {
  readonly [K in keyof Controls]?: K extends "emotion"
    ? Partial<Controls["emotion"]>
    : K extends "gaze" | "pose"
      ? Partial<Controls[K]>
      : Controls[K];
};

/** A calm, neutral take. */
export const DEFAULT_CONTROLS: Controls = {
  emotion: { happy: 0, sad: 0, angry: 0, surprised: 0, afraid: 0, disgusted: 0, tender: 0 },
  gaze: { x: 0, y: 0 },
  distance: 1,
  liveliness: 1,
  articulation: 1,
  headMotion: 1,
  listening: 0,
  blinkRate: 19,
  pose: { yaw: 0, pitch: 0, roll: 0 },
  seed: 1,
};

/** Ranges of the controls, for sliders and for checks. */
export const RANGES = {
  emotion: [0, 1],
  gaze: [-30, 30],
  distance: [0.7, 1.4],
  liveliness: [0, 2],
  articulation: [0.5, 1.5],
  headMotion: [0, 2],
  listening: [0, 1],
  blinkRate: [0, 60],
  pose: [-30, 30],
  seed: [0, 2 ** 32 - 1],
} as const satisfies Record<keyof Controls, readonly [number, number]>;

/** A number moved into the range of its control; anything that is no number is refused. */
function within(value: number, control: keyof Controls): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new ParlanteError("argument", `The control "${control}" needs a number.`);
  }
  const [low, high] = RANGES[control];
  return Math.min(high, Math.max(low, value));
}

/** `controls` with a change made, every value moved into its range. */
export function withChange(controls: Controls, change: ControlsChange): Controls {
  const emotion = { ...controls.emotion };
  for (const name of EMOTIONS) emotion[name] = within(change.emotion?.[name] ?? emotion[name], "emotion");
  return {
    emotion,
    gaze: {
      x: within(change.gaze?.x ?? controls.gaze.x, "gaze"),
      y: within(change.gaze?.y ?? controls.gaze.y, "gaze"),
    },
    distance: within(change.distance ?? controls.distance, "distance"),
    liveliness: within(change.liveliness ?? controls.liveliness, "liveliness"),
    articulation: within(change.articulation ?? controls.articulation, "articulation"),
    headMotion: within(change.headMotion ?? controls.headMotion, "headMotion"),
    listening: within(change.listening ?? controls.listening, "listening"),
    blinkRate: within(change.blinkRate ?? controls.blinkRate, "blinkRate"),
    pose: {
      yaw: within(change.pose?.yaw ?? controls.pose.yaw, "pose"),
      pitch: within(change.pose?.pitch ?? controls.pose.pitch, "pose"),
      roll: within(change.pose?.roll ?? controls.pose.roll, "pose"),
    },
    seed: Math.round(within(change.seed ?? controls.seed, "seed")),
  };
}
