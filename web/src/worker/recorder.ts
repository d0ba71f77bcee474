import {
  AudioSample,
  AudioSampleSource,
  BufferTarget,
  canEncodeAudio,
  canEncodeVideo,
  Mp4OutputFormat,
  Output,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from "mediabunny";
import { ParlanteError } from "../errors.js";
import type { SaveRequest } from "../protocol.js";
import { MOTION_FPS, SOUND_RATE } from "../rates.js";
import type { MotionMaker } from "./feed.js";
import type { Painter } from "./live.js";
import { pause } from "./pace.js";
import type { Recording, Stream } from "./sound.js";

/** Seconds of sound that go into the file before the picture catches up. */
const SOUND_AHEAD = 1;
/** Seconds between two pictures that stand alone. */
const KEY_INTERVAL = 2;
/** Bits a second of the sound. */
const SOUND_BITRATE = 128_000;

/** What a video is made from. */
export interface Scene {
  readonly recording: Recording;
  readonly maker: MotionMaker;
  readonly painter: Painter;
  readonly size: number;
}

/** Codecs that this browser can write into the wanted container. */
async function codecs(request: SaveRequest, scene: Scene) {
  const mp4 = request.format === "mp4";
  const options = { width: scene.size, height: scene.size, bitrate: request.bitrate };
  const wanted = mp4 ? (["avc", "av1", "vp9"] as const) : (["vp9", "vp8", "av1"] as const);
  const audio = mp4 ? "aac" : "opus";
  const numberOfChannels = scene.recording.info.channels;
  const sound = { numberOfChannels, sampleRate: SOUND_RATE, bitrate: SOUND_BITRATE };
  if (audio === "aac" && !(await canEncodeAudio("aac", sound))) {
    // About 1 MB that only browsers without an AAC encoder need.
    const { registerAacEncoder } = await import("@mediabunny/aac-encoder");
    registerAacEncoder();
  }
  for (const video of wanted) if (await canEncodeVideo(video, options)) return { video, audio } as const;
  throw new ParlanteError("save", "This browser cannot write video. Please try a current Chromium, Firefox or Safari.");
}

/** Planar sound as one sample of the file. */
function audioSample(planes: Float32Array[], frame: number): AudioSample {
  const length = planes[0]?.length ?? 0;
  const data = new Float32Array(length * planes.length);
  for (const [channel, plane] of planes.entries()) data.set(plane, channel * length);
  return new AudioSample({
    data,
    format: "f32-planar",
    numberOfChannels: planes.length,
    sampleRate: SOUND_RATE,
    timestamp: frame / SOUND_RATE,
  });
}

/** Writes the sound track piece by piece, never far ahead of the picture. */
class SoundTrack {
  #written = 0;
  #ended = false;

  constructor(
    private readonly source: AudioSampleSource,
    private readonly stream: Stream<Float32Array[]>,
  ) {}

  /** Seconds written so far. */
  get seconds(): number {
    return this.#written / SOUND_RATE;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async writeUntil(second: number): Promise<void> {
    while (!this.#ended && this.seconds < second) {
      const chunk = this.stream.next();
      if (chunk === undefined) {
        this.#ended = true;
        this.source.close();
        return;
      }
      const sample = audioSample(chunk, this.#written);
      this.#written += sample.numberOfFrames;
      await this.source.add(sample);
      sample.close();
    }
  }
}

/** The frames of a recording in order, and at its end what the motion maker still holds. */
function* motionFrames(maker: MotionMaker, mono: Stream<Float32Array>): Generator<Float32Array> {
  function* cut(frames: Float32Array) {
    for (let at = 0; at < frames.length; at += maker.width) yield frames.subarray(at, at + maker.width);
  }
  for (let samples = mono.next(); samples !== undefined; samples = mono.next()) yield* cut(maker.push(samples));
  yield* cut(maker.finish());
}

/** Writes the words of the label into the lower left corner. */
function drawLabel(context: OffscreenCanvasRenderingContext2D, label: string, size: number): void {
  if (label === "") return;
  const height = Math.max(10, Math.round(size / 32));
  context.font = `${height}px system-ui, sans-serif`;
  const width = context.measureText(label).width;
  context.fillStyle = "rgba(0, 0, 0, 0.45)";
  context.fillRect(height * 0.5, size - height * 2.1, width + height * 1.2, height * 1.6);
  context.fillStyle = "white";
  context.fillText(label, height * 1.1, size - height * 0.95);
}

/**
 * Makes a video file off the clock: frame after frame as fast as the machine can, also in a hidden tab.
 * `onFrame` hears how many frames are done and of how many, and may throw to cancel.
 */
export async function record(
  request: SaveRequest,
  scene: Scene,
  onFrame: (done: number, total: number, canvas: OffscreenCanvas) => void,
): Promise<Blob> {
  const { recording } = scene;
  const { video, audio } = await codecs(request, scene);
  const format = request.format === "mp4" ? new Mp4OutputFormat({ fastStart: "in-memory" }) : new WebMOutputFormat();
  const target = new BufferTarget();
  const output = new Output({ format, target });
  const pictures = new VideoSampleSource({
    codec: video,
    bitrate: request.bitrate,
    keyFrameInterval: KEY_INTERVAL,
    latencyMode: "quality",
  });
  const sounds = new AudioSampleSource({ codec: audio, bitrate: SOUND_BITRATE });
  output.addVideoTrack(pictures, { frameRate: MOTION_FPS });
  output.addAudioTrack(sounds);
  if (recording.phones !== undefined) scene.maker.followPhones(recording.phones, 0);
  const stream = recording.sound(0);
  const mono = recording.mono(0);
  try {
    await output.start();
    const track = new SoundTrack(sounds, stream);
    await writePictures(pictures, track, request, scene, mono, onFrame);
    pictures.close();
    await output.finalize();
  } catch (error) {
    if (output.state === "started") await output.cancel();
    throw error;
  } finally {
    stream.close();
    mono.close();
  }
  if (target.buffer === null) throw new ParlanteError("save", "The video could not be finished. Please try again.");
  return new Blob([target.buffer], { type: await output.getMimeType() });
}

async function writePictures(
  pictures: VideoSampleSource,
  track: SoundTrack,
  request: SaveRequest,
  scene: Scene,
  mono: Stream<Float32Array>,
  onFrame: (done: number, total: number, canvas: OffscreenCanvas) => void,
): Promise<void> {
  const { size } = scene;
  const canvas = new OffscreenCanvas(size, size);
  // Pixels stay in memory, where the encoder wants them: a frame made from a canvas on the graphics card is read back.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new ParlanteError("save", "This browser gave no canvas. Please close some tabs.");
  let frame = 0;
  for (const motion of motionFrames(scene.maker, mono)) {
    const timestamp = frame / MOTION_FPS;
    await track.writeUntil(timestamp + SOUND_AHEAD);
    if (track.ended && timestamp >= track.seconds) break;
    await scene.painter.paint(motion, context);
    drawLabel(context, request.label, size);
    const sample = new VideoSample(context.getImageData(0, 0, size, size).data, {
      ...{ format: "RGBA", codedWidth: size, codedHeight: size },
      ...{ timestamp, duration: 1 / MOTION_FPS },
    });
    await pictures.add(sample);
    sample.close();
    frame += 1;
    const length = track.ended ? track.seconds : Math.max(track.seconds, scene.recording.info.duration);
    onFrame(frame, Math.ceil(length * MOTION_FPS), canvas);
    // A turn for messages: without it a cancellation would never be heard.
    await pause(0);
  }
  await track.writeUntil(Number.POSITIVE_INFINITY);
}
