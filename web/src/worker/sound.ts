import type { VoiceInfo } from "../protocol.js";
import { type Phones, SoundReader } from "../wasm/parlante.js";

/** Something that is read piece by piece until it answers `undefined`. */
export interface Stream<T> {
  next(): T | undefined;
  close(): void;
}

/** A recording that can be read from any place, piece by piece, as often as wanted. */
export interface Recording {
  readonly info: VoiceInfo;
  /** Phones that the lips follow, where they are known. */
  readonly phones?: Phones;
  /** The sound for the ear, one array a channel, from a second on. */
  sound(from: number): Stream<Float32Array[]>;
  /** The speech at 16 kHz, mono, from a second on. */
  mono(from: number): Stream<Float32Array>;
}

/** A recording that the crate's own decoder reads from the file, so that an hour takes no more memory than a second. */
export function openRecording(file: Blob): Recording {
  const first = new SoundReader(file, false, 0);
  const info = { duration: first.duration ?? first.measure(), channels: first.channels };
  first.free();
  const open = (speech: boolean, from: number): Stream<Float32Array[]> => {
    const reader = new SoundReader(file, speech, from);
    return { next: () => reader.read(), close: () => reader.free() };
  };
  return {
    info,
    sound: (from) => open(false, from),
    mono(from) {
      const planes = open(true, from);
      return { next: () => planes.next()?.[0], close: planes.close };
    },
  };
}
