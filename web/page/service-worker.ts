// Keeps the files of the page, and gives them out where there is no network.

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
  return (await caches.match(request, { ignoreSearch: true })) ?? fetch(request);
}

async function networkFirst(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept === undefined) throw error;
    return kept;
  }
}
