// Which results are still fresh: a stamp file keeps a hash of what a result was made from.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./run.mjs";

/** All files below `path` (a file or folder), sorted, without hidden ones and node_modules. */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !name.startsWith(".") && name !== "node_modules" && name !== "target")
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/** Hash of the names and contents of everything below `paths` (relative to the repository) and of `words`. */
export function fingerprint(paths, words = []) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap((path) => filesBelow(join(ROOT, path)))) {
    hash.update(`${file.slice(ROOT.length)}\0`);
    hash.update(readFileSync(file));
  }
  for (const word of words) hash.update(`\0${word}`);
  return hash.digest("hex");
}

/**
 * Does `work` unless `outputs` exist and were made from the same inputs before.
 * @param {string} name of the stamp
 * @param {{ inputs: string[], words?: string[], outputs: string[] }} what paths relative to the repository
 * @param {() => Promise<void>} work
 */
export async function unlessFresh(name, { inputs, words, outputs }, work) {
  const stamp = join(ROOT, "build/stamps", name);
  const now = fingerprint(inputs, words);
  const complete = outputs.every((output) => existsSync(join(ROOT, output)));
  if (complete && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}
