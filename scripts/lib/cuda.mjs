// The cargo feature `cuda`, checked on machines without a GPU.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT, run, step } from "./run.mjs";

/** NVIDIA's compiler of kernels at run time, a wheel of PyPI, and where it is unpacked. */
const COMPILER = "nvidia-cuda-nvrtc==13.5.37";
const FOLDER = join(ROOT, "build/cuda");
const LIBRARY = join(FOLDER, "nvidia/cu13/lib/libnvrtc.so.13");

/**
 * Type-checks and lints library and program, and candle beneath them, with the feature `cuda`: a stand-in for NVIDIA's
 * compiler makes empty files of candle's kernels, which nobody links. Our own kernels are then compiled by NVIDIA's, as a
 * program does it on the machine that it runs on. Answers how many of the two failed.
 */
export async function checkCuda() {
  const folder = join(ROOT, "scripts/cuda");
  const env = { PATH: `${folder}:${process.env.PATH}`, NVCC: join(folder, "nvcc"), CUDA_COMPUTE_CAP: "80" };
  const args = ["clippy", "--release", "--workspace", "--features", "cuda", "--quiet", "--", "--deny", "warnings"];
  const checked = await step("Checking the feature cuda", "usually two minutes the first time", () =>
    run("cargo", args, { env, allowFailure: true }),
  );
  if (!existsSync(LIBRARY)) {
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--root-user-action=ignore",
      "--target",
      FOLDER,
      COMPILER,
    ];
    await step("Fetching NVIDIA's compiler of kernels (a Python wheel of 90 MB)", "usually 10 seconds", () =>
      run("python3", pip),
    );
  }
  const kernels = join(ROOT, "crate/src/exec/candle/kernels.cu");
  const compiled = await step("Compiling the CUDA kernels", "a second", () =>
    run("python3", [join(folder, "compile.py"), LIBRARY, kernels], { allowFailure: true }),
  );
  return [checked, compiled].filter((code) => code !== 0).length;
}
