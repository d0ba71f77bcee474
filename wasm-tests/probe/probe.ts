// Looks into a finished video the way a sceptic would: with a decoder and a face finder, not with our own numbers.

import { ALL_FORMATS, AudioSampleSink, BlobSource, CanvasSink, Input } from "mediabunny";
import { Parlante } from "parlante";

/** What a video is made of. */
export interface Report {
  readonly mime: string;
  readonly width: number;
  readonly height: number;
  readonly video: {
    readonly codec: string | null;
    readonly frames: number;
    readonly start: number;
    readonly end: number;
  };
  readonly audio: {
    readonly codec: string | null;
    readonly start: number;
    readonly end: number;
    readonly rms: number[];
  };
  /** Frames that were looked at, and in how many of them a face was found. */
  readonly looked: number;
  readonly faces: number;
  /** Seconds, and how far the lips are apart in parts of the face's height. */
  readonly opening: { readonly second: number; readonly value: number }[];
  /** Mean difference between one looked-at frame and the next, 0..255. */
  readonly change: number;
}

/** MediaPipe's points: inner lips, top of the forehead, chin. */
const [UPPER, LOWER, FOREHEAD, CHIN] = [13, 14, 10, 152];
/** Loudness is measured in pieces of this length, seconds. */
const PIECE = 0.04;

let finder: Promise<Parlante> | undefined;

/** A `Parlante` that only looks for faces. */
function faceFinder(): Promise<Parlante> {
  const canvas = document.querySelector<HTMLCanvasElement>("#face");
  if (canvas === null) throw new Error("the probe has no canvas");
  finder ??= Parlante.create({ canvas, backend: "cpu" });
  return finder;
}

/** The lips' opening on a picture, or `undefined` without a face. */
async function openingOf(picture: CanvasImageSource & { width: number; height: number }): Promise<number | undefined> {
  const [face] = await (await faceFinder()).findFaces(await createImageBitmap(picture));
  if (face === undefined) return undefined;
  const distance = (a: number, b: number) => {
    const [ax = 0, ay = 0] = face.points.subarray(a * 2, a * 2 + 2);
    const [bx = 0, by = 0] = face.points.subarray(b * 2, b * 2 + 2);
    return Math.hypot(ax - bx, ay - by);
  };
  return distance(UPPER, LOWER) / distance(FOREHEAD, CHIN);
}

/** Loudness of a sound track in pieces of {@link PIECE}, from second 0 of the file on. */
async function loudness(sink: AudioSampleSink): Promise<number[]> {
  const sums: number[] = [];
  const counts: number[] = [];
  for await (const sample of sink.samples()) {
    const plane = new Float32Array(sample.numberOfFrames);
    sample.copyTo(plane, { planeIndex: 0, format: "f32-planar" });
    plane.forEach((x, i) => {
      const piece = Math.floor((sample.timestamp + i / sample.sampleRate) / PIECE);
      if (piece < 0) return;
      sums[piece] = (sums[piece] ?? 0) + x * x;
      counts[piece] = (counts[piece] ?? 0) + 1;
    });
    sample.close();
  }
  return Array.from(sums, (sum, i) => Math.sqrt((sum ?? 0) / Math.max(1, counts[i] ?? 1)));
}

function difference(a: ImageData, b: ImageData): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i += 4) sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
  return (sum * 4) / a.data.length;
}

/** Everything about a video; every `stride`-th frame is looked at. */
async function inspect(file: Blob, stride: number): Promise<Report> {
  const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  if (video === null || audio === null) throw new Error("the file lacks a picture or a sound track");
  const opening: Report["opening"] = [];
  const changes: number[] = [];
  let frames = 0;
  let looked = 0;
  let last: ImageData | undefined;
  for await (const { canvas, timestamp } of new CanvasSink(video).canvases()) {
    if (frames++ % stride !== 0) continue;
    looked += 1;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy?.drawImage(canvas, 0, 0);
    const pixels = copy?.getImageData(0, 0, canvas.width, canvas.height);
    if (last !== undefined && pixels !== undefined) changes.push(difference(last, pixels));
    last = pixels;
    const value = await openingOf(canvas);
    if (value !== undefined) opening.push({ second: timestamp, value });
  }
  return {
    mime: await input.getMimeType(),
    width: await video.getDisplayWidth(),
    height: await video.getDisplayHeight(),
    video: {
      codec: await video.getCodec(),
      frames,
      start: await video.getFirstTimestamp(),
      end: await video.computeDuration(),
    },
    audio: {
      codec: await audio.getCodec(),
      start: await audio.getFirstTimestamp(),
      end: await audio.computeDuration(),
      rms: await loudness(new AudioSampleSink(audio)),
    },
    looked,
    faces: opening.length,
    opening,
    change: changes.reduce((sum, x) => sum + x, 0) / Math.max(1, changes.length),
  };
}

/** Called by the tests: looks at the file in the field. */
declare global {
  interface Window {
    inspect(stride: number): Promise<Report>;
    /** The library, for tests that use it as a program does. */
    Parlante: typeof Parlante;
  }
}

window.Parlante = Parlante;

window.inspect = async (stride) => {
  const file = document.querySelector<HTMLInputElement>("#file")?.files?.[0];
  if (file === undefined) throw new Error("no file was chosen");
  return inspect(file, stride);
};
