import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./serve.js";
import { wav } from "./wav.js";

/** Writes a recording that a test made up, mono, 16 bits; answers where it lies. */
export function spokenFile(name: string, seconds: number, value: (second: number) => number, rate = 48_000): string {
  const folder = join(ROOT, "build/own");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, wav(seconds, { rate, channels: 1, sample: "s16" }, value));
  return path;
}
