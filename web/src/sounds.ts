import { decodeMono } from "./decode-audio.js";
import { ParlanteError } from "./errors.js";
import type { Sound } from "./options.js";
import { checkedRate, isSampleStream, onePiece, piecesOf } from "./pcm.js";
import { SOUND_RATE } from "./rates.js";
import type { Utterance } from "./speech.js";

/** A file from an address. */
export async function fetchFile(address: URL | string, code: "portrait" | "voice" | "background"): Promise<Blob> {
  const response = await fetch(address).catch(() => undefined);
  if (!response?.ok) throw new ParlanteError(code, `"${address}" could not be fetched. Please check the address.`);
  return response.blob();
}

/** A sound with an end as something to say; the promise fails where it cannot be read. */
export function utteranceOf(
  sound: Exclude<Sound, MediaStream | AudioNode>,
  rate: number | undefined,
): [Utterance, Promise<unknown>] {
  if (isSampleStream(sound)) return [{ rate: checkedRate(rate), pieces: piecesOf(sound) }, Promise.resolve()];
  const samples = decoded(sound);
  // Who cannot be read says nothing; the promise tells why.
  const pieces = onePiece(samples.catch(() => new Float32Array(0)));
  return [{ rate: SOUND_RATE, pieces }, samples];
}

async function decoded(sound: Blob | URL | string | AudioBuffer): Promise<Float32Array> {
  const file = sound instanceof Blob || sound instanceof AudioBuffer ? sound : await fetchFile(sound, "voice");
  return decodeMono(file);
}
