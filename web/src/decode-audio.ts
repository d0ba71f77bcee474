import type { DecodedVoice } from "./protocol.js";
import { SPEECH_RATE } from "./rates.js";

/** Decodes what only the browser can read, whole: at its own rate for the ear, at 16 kHz mono for the motion. */
export async function decodeWithBrowser(source: Blob | AudioBuffer): Promise<DecodedVoice> {
  const buffer = source instanceof AudioBuffer ? source : await decode(source);
  const planes = Array.from({ length: Math.min(2, buffer.numberOfChannels) }, (_, i) =>
    buffer.getChannelData(i).slice(),
  );
  return { planes, sampleRate: buffer.sampleRate, mono: await toMono(buffer) };
}

async function decode(file: Blob): Promise<AudioBuffer> {
  const context = new OfflineAudioContext(1, 1, 48_000);
  return context.decodeAudioData(await file.arrayBuffer());
}

/** Mixed down and resampled by the browser. */
async function toMono(buffer: AudioBuffer): Promise<Float32Array> {
  const length = Math.max(1, Math.ceil(buffer.duration * SPEECH_RATE));
  const context = new OfflineAudioContext(1, length, SPEECH_RATE);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}
