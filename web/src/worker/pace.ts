import type { Backend } from "../protocol.js";

/** Shortest time between two frames of the processor, which has a page to serve as well, milliseconds. */
export const FRAME = 1000 / 30;
/** A display that shows nothing for so long (a covered window, a sleeping screen) is not waited for, milliseconds. */
const UNSEEN = 100;

/** Milliseconds since 1970, finer than `Date.now`. */
export function epoch(): number {
  return performance.timeOrigin + performance.now();
}

/** Waits, and lets messages in. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The display's next frame; where nothing is displayed, a while. */
function display(): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      cancelAnimationFrame(frame);
      resolve();
    }, UNSEEN);
    const frame = requestAnimationFrame(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

/**
 * Waits until the next frame is due, after one that was begun at `started` (as {@link epoch} tells it). A graphics card
 * paints as often as the display shows something new, the processor at most thirty times a second.
 */
export function nextFrame(backend: Backend, started: number): Promise<void> {
  if (backend === "webgpu" && "requestAnimationFrame" in globalThis) return display();
  return pause(Math.max(0, FRAME - (epoch() - started)));
}
