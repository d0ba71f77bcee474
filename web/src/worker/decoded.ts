import { ParlanteError } from "../errors.js";
import type { DecodedVoice } from "../protocol.js";
import { SOUND_RATE, SPEECH_RATE } from "../rates.js";
import type { Recording, Stream } from "./sound.js";

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
  const { planes, mono } = voice;
  const total = planes[0]?.length ?? 0;
  if (total === 0) throw new ParlanteError("voice", "The recording is empty. Please choose one with sound in it.");
  return {
    info: { duration: total / SOUND_RATE, channels: planes.length },
    sound: (from) => pieces(total, from * SOUND_RATE, (a, b) => planes.map((plane) => plane.slice(a, b))),
    mono: (from) => pieces(mono.length, from * SPEECH_RATE, (a, b) => mono.subarray(a, b)),
  };
}
