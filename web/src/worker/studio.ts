import type { SharedSound } from "../capture-worklet.js";
import type { Controls, Emotion } from "../controls.js";
import { ParlanteError } from "../errors.js";
import type {
  Backend,
  Behind,
  DecodedVoice,
  EngineInfo,
  Face,
  PortraitInfo,
  PortraitWarning,
  Profile,
  Requests,
  SaveRequest,
  SoundChunk,
  VisemeName,
  VoiceInfo,
  Words,
  WorkerEvents,
} from "../protocol.js";
import init, {
  Engine,
  emotionNames,
  LiveSound,
  type Motion,
  Phones,
  restFrame,
  TranscriptAligner,
} from "../wasm/parlante.js";
import { ChosenPainter, SmallPainter } from "./choose.js";
import { decodedRecording } from "./decoded.js";
import { Ear } from "./ear.js";
import type { MotionMaker } from "./feed.js";
import { Live, type LiveStats, type Watcher } from "./live.js";
import { visemeOf } from "./mouth.js";
import { epoch, pause } from "./pace.js";
import { pixelsOf } from "./pixels.js";
import { profile } from "./profile.js";
import { record } from "./recorder.js";
import { Score } from "./score.js";
import { openRecording, type Recording, type Stream } from "./sound.js";
import { sourceOf } from "./source.js";
import { compile, FALLBACK, moduleBytes, secondWorker } from "./start.js";

/** A portrait that is asked for. */
type PortraitRequest = Requests["portrait"]["ask"];
type Tell = <K extends keyof WorkerEvents>(event: K, data: WorkerEvents[K]) => void;

/** Sides that a slow machine goes down to, one after another. */
const SMALLER = [384, 256, 192];
/** Fewer frames a second than this make the picture smaller, where painting is what takes so long, milliseconds. */
const TOO_FEW = 24;
const TOO_SLOW = 20;
/** Slow seconds in a row before the picture is made smaller. */
const PATIENCE = 3;
/** Shortest time between two reports of progress and two glimpses of the video that is made, milliseconds. */
const REPORT = 120;

/** Warnings as the crate gives them: name and sentence in turn. */
function warningsOf({ warnings: flat }: { warnings: string[] }): PortraitWarning[] {
  return flat.flatMap((code, i) =>
    i % 2 === 0 ? [{ code: code as PortraitWarning["code"], message: flat[i + 1] ?? "" }] : [],
  );
}

/** Controls as the crate takes them: emotion weights in its order, then the others in the order of its `controls_of`. */
function controlValues(controls: Controls): Float32Array {
  const { emotion, gaze, distance, liveliness, articulation, headMotion, listening, blinkRate, pose } = controls;
  const weights = emotionNames().map((name) => emotion[name as Emotion] ?? 0);
  const others = [gaze.x, gaze.y, distance, liveliness, articulation];
  return new Float32Array([...weights, ...others, headMotion, listening, blinkRate, pose.yaw, pose.pitch, pose.roll]);
}

/** Everything the worker has: engine, portrait, voice, the live face, and the video that is being saved. */
export class Studio {
  live: Live | undefined;
  #motion: Motion | undefined;
  #seed = 0;
  #recording: Recording | undefined;
  #playback: Stream<Float32Array[]> | undefined;
  #ear: Ear | undefined;
  #score: Score | undefined;
  #watch: Requests["watch"]["ask"] = { frames: false, visemes: false };
  /** The viseme that was told last. */
  #viseme: VisemeName | undefined;
  #saving = false;
  #cancelled = false;
  #transparent = false;
  #slow = 0;
  /** Pixels along a side that the live picture is made at. */
  #side: number;

  private constructor(
    private readonly engine: Engine,
    private readonly painter: ChosenPainter,
    private readonly context: OffscreenCanvasRenderingContext2D,
    private readonly size: number,
    private readonly memory: WebAssembly.Memory,
    private readonly opened: EngineInfo["opened"],
    private readonly tell: Tell,
  ) {
    this.#side = size;
  }

  /** Loads module and pack. */
  static async open(ask: Requests["open"]["ask"], tell: Tell): Promise<Studio> {
    const started = performance.now();
    const module = await compile(ask.module || new URL("../wasm/parlante_bg.wasm", import.meta.url));
    const { memory } = await init({ module_or_path: module });
    const compiled = performance.now();
    const engine = new Engine(ask.pack);
    const opened = { module: compiled - started, pack: performance.now() - compiled };
    ask.canvas.width = ask.size;
    ask.canvas.height = ask.size;
    const context = ask.canvas.getContext("2d");
    if (context === null) throw new ParlanteError("internal", "The browser gave no drawing context for the canvas.");
    const twin = () => secondWorker(module, ask.pack);
    const onFallback = (why: "lost" | "slow") => tell("notice", FALLBACK[why]);
    const painter = await ChosenPainter.open({ engine, memory, twin, onFallback }, ask.backend);
    return new Studio(engine, painter, context, ask.size, memory, opened, tell);
  }

  /** What makes the frames, and what it needs. */
  inspect(): EngineInfo {
    const { backend, reason, measured, threads } = this.painter;
    const memory = this.memory.buffer.byteLength + this.painter.twinMemory;
    return { backend, reason, measured, threads, size: this.#side, memory, module: moduleBytes(), opened: this.opened };
  }

  /** What parts of frames and networks take. */
  profile(): Promise<Profile> {
    this.#refuseWhileSaving();
    return profile(this.engine, this.#side);
  }

  get backend(): Backend {
    return this.painter.backend;
  }

  /** Loads a portrait; the living face appears with it. */
  async setPortrait(ask: PortraitRequest, controls: Controls): Promise<PortraitInfo> {
    this.#refuseWhileSaving();
    const facts = await this.#load(ask);
    const info = {
      width: facts.width,
      height: facts.height,
      faces: facts.faces,
      glasses: facts.glasses,
      yaw: facts.yaw,
      warnings: warningsOf(facts),
    };
    facts.free();
    this.painter.renew(this.size);
    await this.#paintFirst();
    this.#startMotion(controls);
    return info;
  }

  /** The first frame of a portrait. Where it does not go with the chosen background, its own is kept. */
  async #paintFirst(): Promise<void> {
    try {
      await this.painter.paint(restFrame(), this.context);
    } catch (error) {
      const { code, message } = ParlanteError.from(error);
      if (code !== "background") throw error;
      this.#keepBackground();
      this.tell("notice", { code: "background-kept", message });
      await this.painter.paint(restFrame(), this.context);
    }
  }

  /** Chooses what is shown behind the person; a portrait that does not allow it keeps its own. */
  async setBackground(behind: Behind): Promise<void> {
    this.#refuseWhileSaving();
    try {
      if (typeof behind === "string") {
        this.engine.setBackground(behind);
        this.painter.renewBackground(behind);
      } else {
        const { width, height, data } = pixelsOf(await bitmapOf(behind));
        const picture = { width, height, data: new Uint8Array(data.buffer) };
        this.engine.setBackgroundPixels(width, height, picture.data);
        this.painter.renewBackground(picture);
      }
      this.#transparent = behind === "transparent";
    } catch (error) {
      this.#keepBackground();
      throw error;
    }
  }

  #keepBackground(): void {
    this.#transparent = false;
    this.engine.setBackground("keep");
    this.painter.renewBackground("keep");
  }

  async #load({ image, face, glasses }: PortraitRequest) {
    if (image instanceof Blob) {
      const bytes = new Uint8Array(await image.arrayBuffer());
      try {
        return this.engine.setPortrait(bytes, face, glasses);
      } catch (error) {
        // The browser may know more types (AVIF, HEIC). Where it does not, the crate's words are the better ones.
        const bitmap = await createImageBitmap(image).catch(() => undefined);
        if (ParlanteError.from(error).code !== "portrait" || bitmap === undefined) throw error;
        return this.#loadPixels(bitmap, face, glasses);
      }
    }
    return this.#loadPixels(image, face, glasses);
  }

  #loadPixels(bitmap: ImageBitmap, face: number | undefined, glasses: boolean | undefined) {
    const { width, height, data } = pixelsOf(bitmap);
    return this.engine.setPortraitPixels(width, height, new Uint8Array(data.buffer), face, glasses);
  }

  #startMotion(controls: Controls): void {
    const old = this.#motion;
    this.#motion = this.engine.startMotion(controls.seed, controlValues(controls));
    this.#seed = controls.seed;
    if (this.live === undefined) {
      this.live = new Live(
        this.context,
        this.painter,
        this.#motion,
        (stats) => this.#onStats(stats),
        (error) => this.tell("failure", plain(error)),
      );
      this.live.watcher = (...frame) => this.#onFrame(...frame);
      this.live.start();
    } else this.live.restart(this.#motion);
    old?.free();
  }

  /** Faces in a picture, the largest first. */
  findFaces(image: ImageBitmap): Face[] {
    const { width, height, data } = pixelsOf(image);
    const found = this.engine.findFaces(width, height, new Uint8Array(data.buffer));
    return found.map((face) => {
      const plainFace = { points: face.points, presence: face.presence };
      face.free();
      return plainFace;
    });
  }

  async setVoice(voice: Blob | DecodedVoice, words: Words): Promise<VoiceInfo> {
    this.#refuseWhileSaving();
    const recording = voice instanceof Blob ? openRecording(voice) : decodedRecording(voice);
    const phones = await this.#phones(recording, words);
    for (const message of phones?.warnings(recording.info.duration) ?? [])
      this.tell("notice", { code: "words", message });
    this.#playback?.close();
    this.#playback = undefined;
    // The live face may still hold the phones of the voice before until it idles.
    this.idle();
    this.#recording?.phones?.free();
    this.#recording = phones === undefined ? recording : { ...recording, phones };
    return recording.info;
  }

  /** The phones of a recording, as far as its words are known. */
  async #phones(recording: Recording, { phones, transcript }: Words): Promise<Phones | undefined> {
    if (phones !== undefined) {
      const bytes = typeof phones === "string" ? new TextEncoder().encode(phones) : await phones.arrayBuffer();
      return new Phones(new Uint8Array(bytes));
    }
    if (transcript === undefined) return undefined;
    const aligner = new TranscriptAligner(this.engine, transcript);
    const speech = recording.mono(0);
    try {
      for (let samples = speech.next(); samples !== undefined; samples = speech.next()) {
        aligner.push(samples);
        // A turn for the living face.
        await pause(0);
      }
      return aligner.finish();
    } finally {
      speech.close();
      aligner.free();
    }
  }

  setControls(controls: Controls): void {
    if (this.#motion === undefined) return;
    if (controls.seed === this.#seed) this.#motion.setControls(controlValues(controls));
    else this.#startMotion(controls);
  }

  cue(from: number): void {
    this.#refuseWhileSaving();
    const { live, recording } = this.#ready();
    this.deafen();
    live.cue(recording, from);
  }

  /** The face speaks with sound that comes live, until it idles or speaks a recording. */
  listen(from: MessagePort | SharedSound, rate: number): void {
    this.#refuseWhileSaving();
    const live = this.#face();
    this.deafen();
    this.#ear = new Ear(sourceOf(from, rate), rate, new LiveSound(rate));
    live.listen(this.#ear);
  }

  /** The face speaks with sound that is pushed, until it idles or speaks something else. */
  attend({ rate, media, epoch: at }: Requests["attend"]["ask"]): void {
    this.#refuseWhileSaving();
    const live = this.#face();
    this.deafen();
    this.#score = new Score(media + (epoch() - at) / 1000, rate, new LiveSound(rate));
    live.speak(this.#score, media, at);
  }

  /** Pushed sound that is heard at second `at`. */
  say(samples: Float32Array, at: number): void {
    this.#score?.push(samples, at);
  }

  /** Which of the things that happen in every frame are told. */
  watch(wanted: Requests["watch"]["ask"]): void {
    this.#watch = wanted;
    this.#viseme = undefined;
  }

  /** Ends listening to live and to pushed sound. */
  deafen(): void {
    this.#ear?.close();
    this.#ear = undefined;
    this.#score?.close();
    this.#score = undefined;
  }

  /** No voice: the face is alive by itself. `over`: all was said, nothing is cut. */
  idle(over = false): void {
    this.live?.idle(over);
    this.deafen();
  }

  #onFrame(...[time, motion, at, took]: Parameters<Watcher>): void {
    if (this.#watch.frames) this.tell("frame", { time, motion, at, took });
    if (!this.#watch.visemes) return;
    const { name, weight } = visemeOf(motion);
    if (name !== this.#viseme) this.tell("viseme", { time, name, weight });
    this.#viseme = name;
  }

  /** The next piece of sound for the loudspeaker, or the one at `from`. */
  nextSound(from: number | undefined): SoundChunk | undefined {
    if (from !== undefined) {
      this.#playback?.close();
      this.#playback = this.#ready().recording.sound(from);
    }
    const planes = this.#playback?.next();
    return planes && { planes };
  }

  setVisible(visible: boolean): void {
    this.live?.setVisible(visible);
  }

  /** Makes a video of the whole recording. */
  async save(request: SaveRequest): Promise<Blob> {
    this.#refuseWhileSaving();
    const { live, recording } = this.#ready();
    if (this.#transparent) {
      throw new ParlanteError("save", "A video cannot be transparent here: please choose a colour to key out.");
    }
    this.#saving = true;
    this.#cancelled = false;
    live.hold(true);
    const maker: Motion & MotionMaker = this.engine.startMotion(request.controls.seed, controlValues(request.controls));
    const progress = this.#progress();
    try {
      const scene = { recording, maker, painter: this.painter, size: this.size };
      return await record(request, scene, (done, total, canvas) => {
        if (this.#cancelled) throw new ParlanteError("cancelled", "The video was not saved: it was cancelled.");
        progress(done, total, canvas);
      });
    } finally {
      this.#saving = false;
      maker.free();
      live.hold(false);
    }
  }

  /** Ends a save that runs. */
  cancel(): void {
    this.#cancelled = true;
  }

  /** Reports now and then how far a save is, and shows the frame it is at. */
  #progress() {
    const started = epoch();
    let last = Number.NEGATIVE_INFINITY;
    return (done: number, total: number, canvas: OffscreenCanvas): void => {
      const now = epoch();
      if (now - last < REPORT && done < total) return;
      last = now;
      const left = done > 5 ? ((now - started) / done) * (total - done) : undefined;
      this.tell("progress", { done: total > 0 ? done / total : 1, left: left && left / 1000 });
      this.context.drawImage(canvas, 0, 0, this.context.canvas.width, this.context.canvas.height);
    };
  }

  #onStats(stats: LiveStats): void {
    this.tell("stats", { ...stats, backend: this.backend, size: this.#side, threads: this.painter.threads });
    this.#slow = stats.fps < TOO_FEW && stats.frameMs > TOO_SLOW ? this.#slow + 1 : 0;
    const smaller = SMALLER.find((side) => side < this.#side);
    if (this.#slow < PATIENCE || smaller === undefined || this.live === undefined) return;
    this.#slow = 0;
    this.#side = smaller;
    this.live.painter = new SmallPainter(this.painter, smaller);
    const message = `This machine is slow: the picture is now made at ${smaller} pixels.`;
    this.tell("notice", { code: "slow", message });
  }

  #face(): Live {
    if (this.live === undefined) throw new ParlanteError("not-ready", "Please choose a portrait first.");
    return this.live;
  }

  #ready(): { live: Live; recording: Recording } {
    const live = this.#face();
    if (this.#recording === undefined) throw new ParlanteError("not-ready", "Please choose a voice first.");
    return { live, recording: this.#recording };
  }

  #refuseWhileSaving(): void {
    if (!this.#saving) return;
    throw new ParlanteError("not-ready", "A video is being saved: please wait for it, or cancel it.");
  }
}

/** The pixels' owner of a picture file. */
async function bitmapOf(picture: Blob | ImageBitmap): Promise<ImageBitmap> {
  if (picture instanceof ImageBitmap) return picture;
  const bitmap = await createImageBitmap(picture).catch(() => undefined);
  if (bitmap !== undefined) return bitmap;
  throw new ParlanteError("background", "This is no picture that the browser can read. Please choose another one.");
}

function plain(error: unknown) {
  const { code, message } = ParlanteError.from(error);
  return { code, message };
}
