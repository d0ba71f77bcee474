// Whether a worker lives: it holds a lock, which the browser takes from it when it ends, however that happens.

/** A name for the lock of a new worker. */
export function lifeName(): string {
  return `parlante-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

/** In the worker: holds the lock until the end. Resolves when it is held, at once where the browser has no locks. */
export async function holdLife(name: string): Promise<void> {
  if (!("locks" in navigator)) return;
  await new Promise<void>((resolve) => {
    void navigator.locks.request(name, () => {
      resolve();
      return new Promise(() => {});
    });
  });
}

/** In the page: resolves when the worker that holds the lock has ended; never where the browser has no locks. */
export function lifeEnded(name: string): Promise<void> {
  if (!("locks" in navigator)) return new Promise(() => {});
  return navigator.locks.request(name, () => {});
}
