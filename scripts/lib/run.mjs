// Running programs and telling people what is going on.

import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The repository's top folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A failure that has been explained in one sentence: printed without a stack. */
export class Explained extends Error {}

/** Prints a line for people. Standard output is left to results. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Seconds since `from` (milliseconds of `performance.now`), for reading. */
function seconds(from) {
  return `${((performance.now() - from) / 1000).toFixed(1)} s`;
}

/**
 * Does one named piece of set-up. `usual` says how long it takes as a rule, so that nobody wonders whether it hangs.
 * @template T
 * @param {string} name what is done, as a sentence begins
 * @param {string} usual how long it takes as a rule
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(name, usual, work) {
  say(`• ${name} (${usual})`);
  const from = performance.now();
  const result = await work();
  const took = performance.now() - from;
  if (took > 5000) say(`  done in ${seconds(from)}`);
  return result;
}

/**
 * Runs a program; its standard output goes to standard error unless `capture` or `stdout` asks otherwise.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdout?: boolean, allowFailure?: boolean, onText?: (text: string) => void }} [options]
 *   `stdout`: hand the program this process's standard output. `onText`: called with everything it prints.
 * @returns {Promise<number>} its exit code
 */
export async function run(program, args, options = {}) {
  const listen = options.onText !== undefined;
  const child = spawn(program, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ["inherit", listen ? "pipe" : options.stdout ? "inherit" : 2, listen ? "pipe" : "inherit"],
  });
  const show = (chunk) => {
    process.stderr.write(chunk);
    options.onText(chunk.toString());
  };
  child.stdout?.on("data", show);
  child.stderr?.on("data", show);
  const code = await new Promise((resolve, reject) => {
    child.on("error", () =>
      reject(new Explained(`The program "${program}" is needed but could not be started. Please install it.`)),
    );
    child.on("close", (code) => resolve(code ?? 1));
  });
  if (code !== 0 && !options.allowFailure) {
    throw new Explained(`"${[program, ...args].join(" ")}" failed (exit code ${code}). Its own words stand above.`);
  }
  return code;
}

/** What a program prints when asked, or `undefined` where it is missing or fails. */
export function ask(program, args) {
  const answer = spawnSync(program, args, { cwd: ROOT, encoding: "utf8" });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/** Runs `main`, prints explained failures as one line and leaves with a code that says whether it worked. */
export async function entry(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    say(error instanceof Explained ? `✗ ${error.message}` : `✗ ${error.stack ?? error}`);
    process.exitCode = 1;
  }
}
