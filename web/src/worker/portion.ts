/** Rows that somebody painted. */
export interface Portion {
  /** They begin at its start. */
  readonly pixels: ArrayBuffer;
  /** What they took. */
  readonly milliseconds: number;
}

/** Neither gets less than this share of the rows. */
const LEAST = 0.1;
/** How quickly the shares follow what was measured. */
const FOLLOW = 0.15;
/** Frames after which is judged whether sharing is worth it. */
const ENOUGH = 60;
/** Sharing has to save this part of a frame's time. */
const WORTH = 0.05;

/** How the rows of a frame are shared by two, so that both are done at the same time. */
export class Shares {
  #upper = 0.5;
  #alone = { frames: 0, milliseconds: 0 };
  #shared = { frames: 0, milliseconds: 0 };

  /** The first row of `size` that belongs to the second. */
  cut(size: number): number {
    return Math.round(size * this.#upper);
  }

  /** One painted a whole frame by itself. */
  alone(milliseconds: number): void {
    this.#alone.frames += 1;
    this.#alone.milliseconds += milliseconds;
  }

  /** What the first took for its rows of the last cut, the second for the others, and both until the frame was whole. */
  shared(first: number, second: number, whole: number): void {
    const speed = [this.#upper / Math.max(first, 0.01), (1 - this.#upper) / Math.max(second, 0.01)] as const;
    const ideal = speed[0] / (speed[0] + speed[1]);
    this.#upper += FOLLOW * (Math.min(1 - LEAST, Math.max(LEAST, ideal)) - this.#upper);
    this.#shared.frames += 1;
    this.#shared.milliseconds += whole;
  }

  /** Whether both together are faster than one, as far as is known. */
  get worth(): boolean {
    const { frames, milliseconds } = this.#shared;
    if (this.#alone.frames === 0 || frames < ENOUGH) return true;
    return milliseconds / frames < (1 - WORTH) * (this.#alone.milliseconds / this.#alone.frames);
  }

  /** Other frames: of another portrait, or another size. What is known of the shares stays. */
  renew(): void {
    this.#alone = { frames: 0, milliseconds: 0 };
    this.#shared = { frames: 0, milliseconds: 0 };
  }
}
