// Sentences that are put together from messages and values.

import { type Controls, EMOTIONS, type Latency, type PortraitInfo } from "parlante";
import { counted, current, type Key, number, t } from "./language.js";

/** Keys and what they do, for the help. */
export const KEYS: readonly (readonly [string | { readonly key: Key }, Key])[] = [
  [{ key: "key.space" }, "key.speak"],
  ["← ↑ → ↓", "key.gaze"],
  ["+  −", "key.near"],
  ["1 … 7", "key.mood"],
  ["0", "key.reset"],
  ["T", "key.take"],
  ["L", "key.live"],
  ["M", "key.mute"],
  ["S", "key.save"],
  ["F", "key.full"],
  ["?", "key.help"],
];

/** Pieces of the way from a voice to the face, in their order. */
export const CHAIN = ["capture", "lookAhead", "step", "jitter", "paint"] as const;

const mega = (bytes: number) => number(bytes / 1e6, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
/** Parts of a sentence, with the comma of the language between them. */
const joined = (parts: readonly string[]) => parts.join(current() === "ar" ? "، " : ", ");

/** Minutes and seconds. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function percent(value: number): string {
  return number(value, { style: "percent" });
}

/** Degrees of a turn. */
export function turn(degrees: number): string {
  return `${number(Math.round(degrees))}°`;
}

/** Blinks a minute. */
export function rate(value: number): string {
  return t("rate", { count: Math.round(value) });
}

/** How much of the model is here. */
export function loading(loaded: number, total: number | undefined): string {
  if (total === undefined) return t("loading", { loaded: mega(loaded) });
  return t("loadingOf", { loaded: mega(loaded), total: mega(total) });
}

/** What makes the pictures, and how large they are. */
export function runsOn(backend: string, size: number): string {
  return t(backend === "webgpu" ? "onCard" : "onProcessor", { size });
}

/** What was found in a photo, and what would make a better one. */
export function portraitIs(name: string, { width, height, faces, glasses, warnings }: PortraitInfo): string {
  const parts = [t("portraitIs", { name, width, height }), counted("faces", faces)];
  if (glasses) parts.push(t("glassesFound"));
  // In English the library's own sentences are more exact.
  const said = warnings.map(({ code, message }) => (current() === "en" ? message : t(`warning.${code}`)));
  return [joined(parts), ...said].join(". ");
}

/** How far saving has come. */
export function progress(done: number, left: number | undefined): string {
  const part = percent(Math.floor(done * 100) / 100);
  return left === undefined ? part : t("left", { done: part, time: clock(left) });
}

/** A file that was saved. */
export function saved(name: string, bytes: number): string {
  return t("saved", { name, size: mega(bytes) });
}

/** How fast frames are made. */
export function framesAre(fps: number, frameMs: number): string {
  return t("factsFrames", { frames: counted("frames", Math.round(fps)), ms: Math.round(frameMs) });
}

/** How far the face is behind a voice, in all and piece by piece. */
export function latencyIs({ total, ...pieces }: Latency): string {
  const parts = CHAIN.map((piece) => t(`chain.${piece}`, { ms: Math.round(pieces[piece]) }));
  return `${t("factsBehind", { ms: Math.round(total) })}: ${joined(parts)}`;
}

/** Where the gaze goes. */
export function gazeIs(x: number, y: number): string {
  const parts = [];
  if (x !== 0) parts.push(t(x > 0 ? "gaze.right" : "gaze.left", { degrees: Math.abs(x) }));
  if (y !== 0) parts.push(t(y > 0 ? "gaze.down" : "gaze.up", { degrees: Math.abs(y) }));
  return parts.length === 0 ? t("gaze.straight") : joined(parts);
}

/** Which moods, and how much of each. */
export function moodIs(moods: Controls["emotion"]): string {
  const parts = EMOTIONS.filter((mood) => moods[mood] > 0).map(
    (mood) => `${t(`mood.${mood}`)} ${percent(moods[mood])}`,
  );
  return parts.length === 0 ? t("mood.none") : joined(parts);
}

/** What happened to a camera or a microphone, by the name of the browser's error. */
export function deviceError(device: "microphone" | "camera", { name }: DOMException): string {
  if (name === "NotAllowedError" || name === "NotFoundError" || name === "NotReadableError") {
    return t(`${device}.${name}`);
  }
  return t(`${device}.other`);
}
