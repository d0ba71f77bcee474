// The cargo feature `cuda`, checked on machines that know nothing of CUDA.

import { join } from "node:path";
import { ROOT, run, step } from "./run.mjs";

/**
 * Type-checks and lints library and program, and candle beneath them, with the feature `cuda`. That needs no CUDA: a
 * stand-in for NVIDIA's compiler makes empty files of candle's kernels, which nobody links. Answers cargo's exit code.
 */
export async function checkCuda() {
  const folder = join(ROOT, "scripts/cuda");
  const env = { PATH: `${folder}:${process.env.PATH}`, NVCC: join(folder, "nvcc"), CUDA_COMPUTE_CAP: "80" };
  const args = ["clippy", "--release", "--workspace", "--features", "cuda", "--quiet", "--", "--deny", "warnings"];
  return step("Checking the feature cuda", "usually two minutes the first time", () =>
    run("cargo", args, { env, allowFailure: true }),
  );
}
