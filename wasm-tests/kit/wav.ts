/** How a test recording is written. */
export interface WavFormat {
  readonly rate: number;
  readonly channels: number;
  readonly sample: "u8" | "s16" | "f32";
}

/** A WAV file; `value` gives the sample of a second and channel, -1..1. */
export function wav(seconds: number, format: WavFormat, value: (second: number, channel: number) => number): Buffer {
  const { rate, channels, sample } = format;
  const bytes = { u8: 1, s16: 2, f32: 4 }[sample];
  const frames = Math.round(seconds * rate);
  const data = Buffer.alloc(frames * channels * bytes);
  for (let i = 0; i < frames * channels; i++) {
    const x = value(Math.floor(i / channels) / rate, i % channels);
    if (sample === "u8") data.writeUInt8(Math.round(128 + x * 127), i);
    else if (sample === "s16") data.writeInt16LE(Math.round(x * 32767), i * 2);
    else data.writeFloatLE(x, i * 4);
  }
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(sample === "f32" ? 3 : 1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels * bytes, 28);
  header.writeUInt16LE(channels * bytes, 32);
  header.writeUInt16LE(bytes * 8, 34);
  header.write("data", 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

/** A tone with the rhythm of syllables: loud and silent in turns. */
export function syllables(second: number): number {
  return 0.5 * Math.max(0, Math.sin(2 * Math.PI * 2 * second)) * Math.sin(2 * Math.PI * 180 * second);
}
