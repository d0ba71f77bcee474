// The mood as a place on a pad: the middle is calm, each mood has its place on the rim, between two of them is a mixture.

import { type Controls, EMOTIONS, type Emotion } from "parlante";

type Moods = Controls["emotion"];

/** Around the rim, from the top clockwise: neighbours go together. */
export const AROUND = [
  "happy",
  "surprised",
  "afraid",
  "sad",
  "disgusted",
  "angry",
  "tender",
] as const satisfies readonly Emotion[];

/** Where a mood stands on the rim: `x` to the right, `y` down, both -1..1. */
export function placeOnRim(mood: Emotion): { readonly x: number; readonly y: number } {
  const angle = (AROUND.indexOf(mood) / AROUND.length) * 2 * Math.PI;
  return { x: Math.sin(angle), y: -Math.cos(angle) };
}

/** The moods of a place on the pad: the two nearest share how far it is from the middle. */
export function moodsAt(x: number, y: number): Moods {
  const far = Math.min(1, Math.hypot(x, y));
  const turn = ((Math.atan2(x, -y) / (2 * Math.PI)) * AROUND.length + AROUND.length) % AROUND.length;
  const [first, share] = [Math.floor(turn), turn % 1];
  const weight = (mood: Emotion) => {
    const place = AROUND.indexOf(mood);
    if (place === first % AROUND.length) return far * (1 - share);
    return place === (first + 1) % AROUND.length ? far * share : 0;
  };
  return Object.fromEntries(EMOTIONS.map((mood) => [mood, Math.round(weight(mood) * 100) / 100])) as Moods;
}

/** The place on the pad that shows some moods best; for those of {@link moodsAt} it is where they come from. */
export function placeOf(moods: Moods): { readonly x: number; readonly y: number } {
  let [x, y, sum] = [0, 0, 0];
  for (const mood of AROUND) {
    const place = placeOnRim(mood);
    x += moods[mood] * place.x;
    y += moods[mood] * place.y;
    sum += moods[mood];
  }
  const length = Math.hypot(x, y);
  const far = Math.min(1, sum);
  // Opposite moods leave no direction: the middle shows them.
  return length < 0.05 ? { x: 0, y: 0 } : { x: (x / length) * far, y: (y / length) * far };
}
