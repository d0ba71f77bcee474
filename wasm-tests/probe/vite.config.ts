import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The page that the tests look at videos with. */
export default defineConfig({
  root: at("."),
  resolve: { alias: { parlante: at("../../web/dist/index.js") } },
  build: { outDir: at("../../build/probe"), emptyOutDir: true, assetsInlineLimit: 0, target: "es2022" },
  worker: { format: "es" },
});
