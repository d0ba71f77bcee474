import type { Backend } from "../protocol.js";

/** Shortest time between two frames of the processor, which has a page to serve as well, milliseconds. */
export const FRAME = 1000 / 30;
/** The processor keeps step with the display where a frame takes it less than this share of that time. */
const QUICK = 0.75;
/** What the display's frames may come early: nearly half of the time between two of a common display, milliseconds. */
const EARLY = 7;
/** Share of what the display's frames come early or late by which the ones after them are expected so. */
const PULL = 0.1;
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

/** Says when the next frame is to be painted. */
export class Pace {
  #due = Number.NEGATIVE_INFINITY;

  /**
   * Waits until the next frame is due, after one that was begun at `started` (as {@link epoch} tells it). A graphics card
   * paints whenever the display shows something new; the processor at most thirty times a second, with the display where
   * it is quick enough, and without waiting for it where it is not: a display's frame that is just missed would cost half
   * of the frames.
   */
  async next(backend: Backend, started: number): Promise<void> {
    const shown = "requestAnimationFrame" in globalThis;
    if (backend === "webgpu" && shown) return display();
    // Counted on from frame to frame, pulled to where the display's frames fall: one that comes late makes none after
    // it late, and the choice between two of them stays as far from both as can be.
    const late = started - this.#due;
    this.#due = Math.abs(late) > FRAME ? started + FRAME : this.#due + FRAME + PULL * late;
    const quick = epoch() - started < FRAME * QUICK;
    if (!shown || !quick) return pause(Math.max(0, this.#due - epoch()));
    while (epoch() < this.#due - EARLY) await display();
  }
}
