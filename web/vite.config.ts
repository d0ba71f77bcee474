import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { FIXED } from "./page/text.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Isolation lets the page measure time finely and share memory between threads.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Puts the words of text.ts into the HTML, so that they stand in one file and yet show before any script runs. */
const words: Plugin = {
  name: "words",
  transformIndexHtml: (html) =>
    html.replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
      if (!(key in FIXED)) throw new Error(`text.ts has no words for "${key}"`);
      return FIXED[key as keyof typeof FIXED];
    }),
};

/** The page. It sees the library as anybody would: through the finished package. */
export default defineConfig({
  root: at("page"),
  base: "./",
  plugins: [words],
  resolve: { alias: { parlante: at("dist/index.js") } },
  build: {
    outDir: at("../build/page"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    // The library is worth a file of its own: the page's own code stays small enough to be measured.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "parlante", test: /web[\\/]dist[\\/]/ }] } } },
  },
  worker: { format: "es" },
  server: { headers, port: 5173 },
  preview: { headers, port: 5173 },
});
