import { type Controls, type ControlsChange, DEFAULT_CONTROLS, EMOTIONS, type Emotion, RANGES } from "parlante";

/** Controls that are one number. */
const NUMBERS = ["distance", "liveliness", "articulation", "headMotion", "listening", "blinkRate", "seed"] as const;
const TURNS = ["yaw", "pitch", "roll"] as const;
/** How the gaze is called in an address. */
const GAZE = { gazeX: "x", gazeY: "y" } as const;

/** What differs from a calm start, as the end of an address: `happy=0.6&gazeX=10`. */
export function toAddress(controls: Controls): string {
  const parts = new URLSearchParams();
  const put = (name: string, value: number, usual: number) => {
    if (value !== usual) parts.set(name, String(Math.round(value * 1000) / 1000));
  };
  for (const name of EMOTIONS) put(name, controls.emotion[name], 0);
  for (const [name, axis] of Object.entries(GAZE)) put(name, controls.gaze[axis], 0);
  for (const name of TURNS) put(name, controls.pose[name], 0);
  for (const name of NUMBERS) put(name, controls[name], DEFAULT_CONTROLS[name]);
  return parts.toString();
}

/** The controls that the end of an address asks for; what it does not name, or names wrongly, is missing. */
export function fromAddress(text: string): ControlsChange {
  const parts = new URLSearchParams(text.replace(/^#/, ""));
  const get = (name: string, control: keyof Controls): number | undefined => {
    const value = Number(parts.get(name) || Number.NaN);
    const [low, high] = RANGES[control];
    return value >= low && value <= high ? value : undefined;
  };
  const some = <K extends string>(names: readonly K[], read: (name: K) => number | undefined) =>
    Object.fromEntries(names.flatMap((name) => (read(name) === undefined ? [] : [[name, read(name)]])));
  return {
    emotion: some<Emotion>(EMOTIONS, (name) => get(name, "emotion")),
    gaze: some(["x", "y"], (axis) => get(axis === "x" ? "gazeX" : "gazeY", "gaze")),
    pose: some(TURNS, (name) => get(name, "pose")),
    ...some(NUMBERS, (name) => get(name, name)),
  };
}

/** The language that the end of an address asks for. */
export function languageIn(text: string): string | undefined {
  return new URLSearchParams(text.replace(/^#/, "")).get("lang") ?? undefined;
}

/**
 * Keeps the address in step with the controls, and with the language where it was chosen by hand, so that it can be
 * passed on; the browser's history stays as it was.
 */
export function showInAddress(controls: Controls, language: string | undefined): void {
  const wanted = [toAddress(controls), language && `lang=${language}`].filter(Boolean).join("&");
  if (wanted === location.hash.replace(/^#/, "")) return;
  history.replaceState(null, "", wanted === "" ? location.pathname + location.search : `#${wanted}`);
}

/** `?backend=cpu` and `?backend=webgpu` choose an executor by hand. */
export function backendIn(search: string): "auto" | "cpu" | "webgpu" {
  const wanted = new URLSearchParams(search).get("backend");
  return wanted === "cpu" || wanted === "webgpu" ? wanted : "auto";
}

/** `?size=256` chooses how large the picture is made, pixels along a side. */
export function sizeIn(search: string): number {
  const wanted = Number(new URLSearchParams(search).get("size"));
  return wanted >= 128 && wanted <= 1024 && wanted % 2 === 0 ? wanted : 512;
}
