// What the methods of `Parlante` take.

import type { SampleStream } from "./pcm.js";
import type { Backend, Behind } from "./protocol.js";

/** How a {@link Parlante} is made. */
export interface CreateOptions {
  /** Where the face appears. It must be fresh: no context may have been taken from it. */
  readonly canvas: HTMLCanvasElement;
  /** The model pack; by default the one that comes with this package. */
  readonly pack?: URL | string | Blob | ArrayBuffer;
  /** Which executor makes the frames; `auto` measures and takes the faster. */
  readonly backend?: Backend | "auto";
  /** Pixels along a side of the picture, 128..1024, even. */
  readonly size?: number;
  /** What is shown behind the person: see {@link Parlante.setBackground}. */
  readonly background?: Background;
  /** Address of the WebAssembly module, where a bundler does not find it by itself. */
  readonly module?: URL | string;
  /** Makes the worker, where a bundler does not find it by itself. */
  readonly createWorker?: () => Worker;
  /** Hears how the pack is loaded. */
  readonly onProgress?: (progress: { readonly loaded: number; readonly total: number | undefined }) => void;
  readonly signal?: AbortSignal;
}

/**
 * What is shown behind the person: the photo's own (`keep`), the same out of focus (`blur`), nothing (`transparent`), a
 * colour such as `#203040`, or another picture, scaled to cover.
 */
export type Background = Behind | URL;

/** How a video is saved. */
export interface SaveOptions {
  readonly format?: "mp4" | "webm";
  /** Bits a second of the picture, 100,000..50,000,000. */
  readonly bitrate?: number;
  /** Words in the corner of every frame; an empty string leaves them out. */
  readonly label?: string;
  /** `done` 0..1; `left` in seconds, once it can be told. */
  readonly onProgress?: (progress: { readonly done: number; readonly left: number | undefined }) => void;
  readonly signal?: AbortSignal;
}

/** What a face can speak at once: something that ends, or sound that comes live. */
export type Sound = Blob | URL | string | AudioBuffer | SampleStream | MediaStream | AudioNode;

/** How {@link Parlante.speak} speaks. */
export interface SpeakOptions {
  /** Samples a second of a stream of samples, 8,000..192,000 hertz; every other sound knows its own. */
  readonly sampleRate?: number;
  /** Waits until what is spoken is over; without it the new sound takes its place. */
  readonly queue?: boolean;
}
