// npm run check:cuda: does the cargo feature `cuda` compile? Needs neither a GPU nor the CUDA toolkit.

import { checkCuda } from "./lib/cuda.mjs";
import { entry } from "./lib/run.mjs";
import { needTools } from "./lib/system.mjs";

await entry(async () => {
  await needTools();
  return checkCuda();
});
