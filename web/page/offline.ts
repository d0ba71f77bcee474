/** Keeps the page on this machine, so that it opens without a network from the second visit on. */
export async function keepForOffline(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(new URL("./service-worker.js", document.baseURI));
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage("keep");
  } catch {
    // Private windows and some settings forbid it, and the development server has no finished files: the page works as
    // before, with a network.
  }
}
