import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's top folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The finished page. */
export const PAGE = join(ROOT, "build/page");

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".jpg": "image/jpeg",
  ".wasm": "application/wasm",
};

/** A folder that is served on this machine. */
export interface Served {
  readonly origin: string;
  close(): Promise<void>;
}

/** Headers that isolate a page from other sites: it may share memory between threads and measure time finely. */
export const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** How a folder is served otherwise than usual. */
export interface Serving {
  /** Headers of every answer; usually those that isolate the page from other sites. */
  readonly headers?: Record<string, string>;
  /** Words that are put before a script, by its path; `undefined`: it is missing. An empty text leaves it as it is. */
  readonly before?: (path: string) => string | undefined;
}

/** Serves a folder's files; nothing else is ever answered. */
export async function serve(folder: string, { headers = ISOLATED, before = () => "" }: Serving = {}): Promise<Served> {
  if (!existsSync(join(folder, "index.html"))) throw new Error(`${folder} is not built: please run npm run build`);
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname));
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    const words = before(path);
    if (!file.startsWith(folder) || !existsSync(file) || words === undefined) {
      return void response.writeHead(404).end();
    }
    response.writeHead(200, {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      "Content-Length": statSync(file).size + Buffer.byteLength(words),
      ...headers,
    });
    response.write(words);
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
