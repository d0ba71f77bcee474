import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import english from "./page/messages/en.json" with { type: "json" };

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Isolation lets the page measure time finely and share memory between threads.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** The English words of a name. */
function englishOf(key: string): string {
  if (!(key in english)) throw new Error(`messages/en.json has no words for "${key}"`);
  return english[key as keyof typeof english];
}

/** Puts the English words into the HTML, so that they show before any script runs and where none can. */
const words: Plugin = {
  name: "words",
  transformIndexHtml: (html) =>
    html
      .replace(/\bdata-text="([\w.]+)"[^>]*>/g, (tag, key: string) => tag + englishOf(key))
      .replace(/\bdata-name="([\w.]+)"/g, (mark, key: string) => `${mark} aria-label="${englishOf(key)}"`)
      .replace(/\bdata-hint="([\w.]+)"/g, (mark, key: string) => `${mark} title="${englishOf(key)}"`)
      .replace(/\{\{([\w.]+)\}\}/g, (_, key: string) => englishOf(key)),
};

/** Lists all files of the page for its service worker, which keeps them for times without a network. */
const list: Plugin = {
  name: "list",
  generateBundle(_, bundle) {
    const files = Object.keys(bundle).filter((name) => name !== "service-worker.js" && !name.endsWith(".html"));
    const source = JSON.stringify(["icon.svg", "manifest.webmanifest", "bench.html", ...files.sort()]);
    this.emitFile({ type: "asset", fileName: "files.json", source });
  },
};

/** The page. It sees the library as anybody would: through the finished package. */
export default defineConfig({
  root: at("page"),
  base: "./",
  plugins: [words, list],
  resolve: { alias: { parlante: at("dist/index.js") } },
  build: {
    outDir: at("../build/page"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    // The library is worth a file of its own: the page's own code stays small enough to be measured.
    rolldownOptions: {
      input: {
        index: at("page/index.html"),
        bench: at("page/bench.html"),
        "service-worker": at("page/service-worker.ts"),
      },
      output: {
        // A service worker answers for its own folder and those below: it stands at the top, under a name that stays.
        entryFileNames: ({ name }) => (name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js"),
        codeSplitting: { groups: [{ name: "parlante", test: /web[\\/]dist[\\/]/ }] },
      },
    },
  },
  worker: { format: "es" },
  server: { headers, port: 5173 },
  preview: { headers, port: 5173 },
});
