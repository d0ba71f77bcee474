// Keeps the files of the page, and gives them out where there is no network. Every file says that the page shares
// nothing with other sites, also where the server does not: that makes its clock fine and its memory measurable.

// What the scope of a service worker has; TypeScript's library for pages does not describe it.
interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Scope {
  readonly clients: { claim(): Promise<void> };
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Lasting) => void): void;
  addEventListener(type: "message", listener: (event: Lasting & MessageEvent<string>) => void): void;
  addEventListener(
    type: "fetch",
    listener: (event: Lasting & { readonly request: Request; respondWith(answer: Promise<Response>): void }) => void,
  ): void;
}
const scope = self as unknown as Scope;

const NAME = "parlante";
/** The names of all files of the page; written when it is built. */
const LIST = "files.json";

scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(keep());
});

/** Keeps what is new, and lets go of what is old. */
async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  const list: string[] = await (await fetch(new URL(LIST, scope.registration.scope), { cache: "no-cache" })).json();
  const wanted = new Set(["./", ...list].map((name) => new URL(name, scope.registration.scope).href));
  for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
  for (const url of wanted) {
    // Names of built files change with their content; the others are fetched again.
    const lasting = url.includes("/assets/") && (await cache.match(url)) !== undefined;
    if (!lasting) await cache.add(url);
  }
}

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && request.url.startsWith(scope.registration.scope)) {
    event.respondWith(request.url.includes("/assets/") ? keptFirst(request) : networkFirst(request));
  }
});

async function keptFirst(request: Request): Promise<Response> {
  return isolated((await caches.match(request, { ignoreSearch: true })) ?? (await fetch(request)));
}

/** The same answer with the headers that isolate the page. */
function isolated(answer: Response): Response {
  if (answer.type !== "basic" || answer.redirected || answer.headers.has("Cross-Origin-Embedder-Policy")) return answer;
  const headers = new Headers(answer.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers });
}

async function networkFirst(request: Request): Promise<Response> {
  try {
    return isolated(await fetch(request));
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept === undefined) throw error;
    return isolated(kept);
  }
}
