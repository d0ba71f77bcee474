import { ParlanteError } from "./errors.js";

/** How long the sound device may take to wake, milliseconds. */
const PATIENCE = 3000;

/** Wakes the sound device; browsers want a click for it. `what` is said where it does not wake. */
export async function wake(context: AudioContext, what: string): Promise<void> {
  if (context.state === "running") return;
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  if ((context.state as AudioContextState) !== "running") throw new ParlanteError("not-ready", what);
}

/** The time of the context that is heard now: later in the device than in the context, seconds. */
export function heardOf(context: AudioContext): number {
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  if (contextTime !== undefined && performanceTime !== undefined && performanceTime > 0) {
    const heard = contextTime + (performance.now() - performanceTime) / 1000;
    return Math.min(heard, context.currentTime);
  }
  return context.currentTime - context.baseLatency;
}

/** Calls `then` when the sound device falls asleep by itself: a call, a closed lid, a headset that went away. */
export function onAsleep(context: AudioContext, then: () => void): void {
  context.addEventListener("statechange", () => {
    if (context.state !== "running" && context.state !== "closed") then();
  });
}
