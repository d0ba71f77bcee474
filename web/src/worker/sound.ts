import { ParlanteError } from "../errors.js";
import type { DecodedVoice, SoundChunk, VoiceInfo } from "../protocol.js";
import { SPEECH_RATE } from "../rates.js";
import { SoundReader } from "../wasm/parlante.js";

/** Something that is read piece by piece until it answers `undefined`. */
export interface Stream<T> {
  next(): T | undefined;
  close(): void;
}

/** A recording that can be read from any place, piece by piece, as often as wanted. */
export interface Recording {
  readonly info: VoiceInfo;
  /** The sound as it was recorded, from a second on. */
  sound(from: number): Stream<SoundChunk>;
  /** The sound at {@link SPEECH_RATE}, mono, from a second on. */
  mono(from: number): Stream<Float32Array>;
}

/** A recording that the crate's own decoder reads from the file, so that an hour takes no more memory than a second. */
export function openRecording(file: Blob): Recording {
  const first = new SoundReader(file);
  const info = { duration: first.duration, sampleRate: first.sampleRate, channels: Math.min(first.channels, 2) };
  first.free();
  const open = <T>(from: number, read: (reader: SoundReader) => T | undefined): Stream<T> => {
    const reader = new SoundReader(file);
    reader.seek(from);
    return { next: () => read(reader), close: () => reader.free() };
  };
  return {
    info,
    sound: (from) =>
      open(from, (reader) => {
        const planes = reader.read();
        return planes && { planes, sampleRate: info.sampleRate };
      }),
    mono: (from) => open(from, (reader) => reader.readMono()),
  };
}

/** Samples in one piece of an already decoded recording. */
const PIECE = 16_384;

/** Pieces of `total` samples, from `start` on. */
function pieces<T>(total: number, start: number, cut: (from: number, to: number) => T): Stream<T> {
  let at = Math.min(Math.max(0, Math.round(start)), total);
  return {
    next() {
      if (at >= total) return undefined;
      const from = at;
      at = Math.min(total, from + PIECE);
      return cut(from, at);
    },
    close() {},
  };
}

/** A recording that the browser's own decoder has read. */
export function decodedRecording(voice: DecodedVoice): Recording {
  const { planes, sampleRate, mono } = voice;
  const total = planes[0]?.length ?? 0;
  if (total === 0) throw new ParlanteError("voice", "The recording is empty. Please choose one with sound in it.");
  return {
    info: { duration: total / sampleRate, sampleRate, channels: planes.length },
    sound: (from) =>
      pieces(total, from * sampleRate, (a, b) => ({ planes: planes.map((p) => p.slice(a, b)), sampleRate })),
    mono: (from) => pieces(mono.length, from * SPEECH_RATE, (a, b) => mono.subarray(a, b)),
  };
}
