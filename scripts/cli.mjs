// npm run animate|motion|bench -- …: the native command line after the same set-up.

import { join } from "node:path";
import { entry, ROOT, run } from "./lib/run.mjs";
import { modelPack, PROGRAM, program } from "./lib/setup.mjs";
import { needTools } from "./lib/system.mjs";

await entry(async () => {
  await needTools();
  await modelPack();
  await program();
  // Paths on the command line are meant from the folder that npm was called in.
  const options = { cwd: process.env.INIT_CWD ?? ROOT, stdout: true, allowFailure: true };
  return run(join(ROOT, PROGRAM), process.argv.slice(2), options);
});
