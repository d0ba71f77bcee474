import { ParlanteError } from "./errors.js";
import type { DecodedVoice } from "./protocol.js";
import { SOUND_RATE, SPEECH_RATE } from "./rates.js";

/** Decodes what only the browser can read, whole: for the ear, and for the motion. */
export async function decodeWithBrowser(source: Blob | AudioBuffer): Promise<DecodedVoice> {
  const decoded = source instanceof AudioBuffer ? source : await decode(source);
  const heard = await resampled(decoded, SOUND_RATE, Math.min(2, decoded.numberOfChannels));
  const planes = Array.from({ length: heard.numberOfChannels }, (_, channel) => heard.getChannelData(channel));
  return { planes, mono: (await resampled(decoded, SPEECH_RATE, 1)).getChannelData(0) };
}

/** Decodes a sound whole, mono at 48 kHz. */
export async function decodeMono(source: Blob | AudioBuffer): Promise<Float32Array> {
  const decoded = source instanceof AudioBuffer ? source : await decode(source).catch(() => undefined);
  if (decoded === undefined) {
    throw new ParlanteError("voice", "This is no sound that the browser can read. Please choose another file.");
  }
  return (await resampled(decoded, SOUND_RATE, 1)).getChannelData(0);
}

async function decode(file: Blob): Promise<AudioBuffer> {
  return new OfflineAudioContext(1, 1, SOUND_RATE).decodeAudioData(await file.arrayBuffer());
}

/** Mixed and resampled by the browser. */
async function resampled(buffer: AudioBuffer, rate: number, channels: number): Promise<AudioBuffer> {
  if (buffer.sampleRate === rate && buffer.numberOfChannels === channels) return buffer;
  const context = new OfflineAudioContext(channels, Math.max(1, Math.ceil(buffer.duration * rate)), rate);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return context.startRendering();
}
