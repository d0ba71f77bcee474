import { Capture } from "./capture.js";
import { type Controls, type ControlsChange, DEFAULT_CONTROLS, withChange } from "./controls.js";
import { decodeWithBrowser } from "./decode-audio.js";
import { ParlanteError, throwIfCancelled } from "./errors.js";
import { Emitter, type Events, frameOf, type State } from "./events.js";
import { Host, packOf } from "./host.js";
import { latencyOf } from "./latency.js";
import { noticeOf } from "./notices.js";
import type { Background, CreateOptions, SaveOptions, Sound, SpeakOptions } from "./options.js";
import { fetchPack } from "./pack.js";
import { Player } from "./player.js";
import type {
  DecodedVoice,
  EngineInfo,
  EventHandlers,
  Face,
  PortraitInfo,
  Profile,
  RequestName,
  Requests,
  VoiceInfo,
  Words,
  WorkerEvents,
} from "./protocol.js";
import { fetchFile, utteranceOf } from "./sounds.js";
import { Speech } from "./speech.js";

/** One face on one canvas. */
export class Parlante {
  readonly #host: Host;
  readonly #player: Player;
  readonly #speech: Speech;
  readonly #events = new Emitter<Events>(() => this.#watch());
  #state: State = "empty";
  #controls: Controls = DEFAULT_CONTROLS;
  #background: Background = "keep";
  #portrait: PortraitInfo | undefined;
  #voice: VoiceInfo | undefined;
  #capture: Capture | undefined;
  #onProgress: SaveOptions["onProgress"];
  #disposed = false;
  /** What a new worker has to be given where the old one died, as far as it can be given again. */
  #kept: { portrait?: Requests["portrait"]["ask"]; voice?: Requests["voice"]["ask"] } = {};
  /** What is heard live. */
  #heard: MediaStream | AudioNode | undefined;
  /** A `start` was told whose `end` was not. */
  #sounding = false;
  readonly #onVisibility = () => this.#tell("visible", { visible: !document.hidden });

  private constructor(options: CreateOptions) {
    const handlers: EventHandlers = {
      stats: (stats) => this.#onStats(stats),
      frame: (frame) => this.#emit("frame", frameOf(this.#placeOf(frame.time), frame)),
      viseme: (viseme) => this.#emit("viseme", { ...viseme, time: this.#placeOf(viseme.time) }),
      progress: (progress) => this.#onProgress?.(progress),
      notice: (notice) => {
        if (notice.code === "background-kept") this.#background = "keep";
        this.#emit("notice", notice);
      },
      failure: ({ code, message }) => this.#emit("error", new ParlanteError(code, message)),
    };
    this.#host = new Host(options, handlers, () => void this.#revive());
    this.#player = new Player({
      sound: (from) => this.#host.ask("sound", { from }),
      onClock: (media, epoch) => this.#tell("clock", { media, epoch }),
      onEnd: () => this.#end(),
      onAsleep: () => void this.#paused(),
      onFailure: (error) => this.#emit("error", ParlanteError.from(error, "voice")),
    });
    this.#speech = new Speech({
      onOpen: (rate, media, epoch) => this.#tell("attend", { rate, media, epoch }),
      onPiece: (samples, at) => this.#tell("say", { samples, at }, [samples.buffer as ArrayBuffer]),
      onClock: (media, epoch) => this.#tell("clock", { media, epoch }),
      onStart: () => {
        this.#setState("speaking");
        this.#started();
      },
      onEnd: (interrupted) => this.#ended(interrupted),
      onRest: () => this.#rest(),
      onAsleep: () => this.#emit("notice", noticeOf("sound-waits")),
      onFailure: (error) => {
        this.#emit("error", ParlanteError.from(error, "voice"));
        void this.stop();
      },
    });
    document.addEventListener("visibilitychange", this.#onVisibility);
  }

  /** Loads module and pack, and takes over the canvas. */
  static async create(options: CreateOptions): Promise<Parlante> {
    const { size = 512, signal, onProgress } = options;
    if (!Number.isInteger(size) || size < 128 || size > 1024 || size % 2 !== 0) {
      throw new ParlanteError("argument", "The size must be an even number of pixels, 128 to 1024.");
    }
    const pack = await fetchPack(packOf(options), onProgress, signal);
    throwIfCancelled(signal);
    const parlante = new Parlante(options);
    try {
      await parlante.#host.open(pack);
      if (options.background !== undefined) await parlante.setBackground(options.background);
      return parlante;
    } catch (error) {
      await parlante.dispose();
      throw ParlanteError.from(error);
    }
  }

  /**
   * The worker died. A new one goes on where the old one was. What was being saved or spoken from a stream is over.
   */
  async #revive(): Promise<void> {
    const [playing, heard, second] = [this.#state === "playing", this.#heard, this.currentTime];
    try {
      await this.#hush();
      await this.#host.replace();
      this.controls = {};
      this.#watch();
      const { portrait, voice } = this.#kept;
      if (!(this.#background instanceof ImageBitmap)) await this.setBackground(this.#background);
      if (portrait !== undefined) await this.#host.ask("portrait", portrait);
      if (voice !== undefined) await this.#host.ask("voice", voice);
      this.#player.place(second);
      this.#setState(portrait === undefined ? "empty" : "idle");
      if (playing) await this.play();
      else if (heard !== undefined) await this.#listen(heard);
      this.#emit("notice", noticeOf("worker-stopped"));
    } catch (error) {
      if (!this.#disposed) this.#emit("error", ParlanteError.from(error));
    }
  }

  /** The canvas that shows the face: another one than at first where a worker died and a new one took its place. */
  get canvas(): HTMLCanvasElement {
    return this.#host.canvas;
  }

  /** What it is doing. */
  get state(): State {
    return this.#state;
  }

  /** What is known of the portrait. */
  get portrait(): PortraitInfo | undefined {
    return this.#portrait;
  }

  /** What is known of the voice. */
  get voice(): VoiceInfo | undefined {
    return this.#voice;
  }

  /** The second of the voice that is heard. */
  get currentTime(): number {
    return Math.min(this.#player.second, this.duration);
  }

  /** Seconds of the voice; 0 without one. */
  get duration(): number {
    return this.#voice?.duration ?? 0;
  }

  /** Loudness, 0..1. */
  get volume(): number {
    return this.#player.volume;
  }

  set volume(value: number) {
    this.#player.volume = value;
    this.#speech.volume = this.#player.volume;
  }

  /** What is shown behind the person. */
  get background(): Background {
    return this.#background;
  }

  /** What can be turned on the face. Set a part of it: `parlante.controls = { gaze: { x: 10 } }`. */
  get controls(): Controls {
    return this.#controls;
  }

  set controls(change: ControlsChange) {
    this.#controls = withChange(this.#controls, change);
    this.#tell("controls", { controls: this.#controls });
  }

  /**
   * Shows a portrait; the face lives as soon as this resolves. `face`: which one, the largest is 0. `glasses`: whether the
   * person wears some, where the photo was misjudged (see {@link PortraitInfo.glasses}): thin frames would bend in a blink.
   */
  async setPortrait(
    source: Blob | URL | string | ImageBitmap,
    options: { face?: number; glasses?: boolean } = {},
  ): Promise<PortraitInfo> {
    this.#check();
    this.#refuseWhileSaving();
    const image =
      source instanceof Blob || source instanceof ImageBitmap ? source : await fetchFile(source, "portrait");
    await this.stop();
    const ask = { image, face: options.face, glasses: options.glasses };
    this.#portrait = await this.#host.ask("portrait", ask, image instanceof ImageBitmap ? [image] : []);
    if (image instanceof Blob) this.#kept.portrait = ask;
    else delete this.#kept.portrait;
    this.#setState("idle");
    return this.#portrait;
  }

  /**
   * Chooses what is shown behind the person, at once. Fails with the code `background` where the person cannot be told
   * from it; the portrait's own is kept then. An `ImageBitmap` is closed.
   */
  async setBackground(background: Background): Promise<void> {
    this.#check();
    const behind = background instanceof URL ? await fetchFile(background, "background") : background;
    this.#background = "keep";
    await this.#host.ask("background", { behind }, behind instanceof ImageBitmap ? [behind] : []);
    this.#background = background;
  }

  /**
   * Takes a recording that the face will speak. With `phones` (times of phones or visemes, as speech synthesisers give
   * them) or a `transcript` (English) the lips follow these instead of what is heard, which is more exact.
   */
  async setVoice(source: Blob | URL | string | AudioBuffer, words: Words = {}): Promise<VoiceInfo> {
    this.#check();
    this.#refuseWhileSaving();
    if (words.phones !== undefined && words.transcript !== undefined) {
      throw new ParlanteError("argument", "Give phones or a transcript with the voice, not both.");
    }
    const file = source instanceof Blob || source instanceof AudioBuffer ? source : await fetchFile(source, "voice");
    await this.#hush();
    // Where the new voice cannot be used, the face waits with the old one.
    if (this.#state !== "empty" && this.#state !== "idle") await this.stop();
    this.#player.place(0);
    this.#voice = await this.#readVoice(file, words);
    if (this.#portrait !== undefined) this.#setState("idle");
    return this.#voice;
  }

  async #readVoice(file: Blob | AudioBuffer, words: Words): Promise<VoiceInfo> {
    const ask = async (voice: Blob | DecodedVoice) => {
      const info = await this.#host.ask("voice", { voice, words });
      this.#kept.voice = { voice, words };
      return info;
    };
    if (file instanceof AudioBuffer) return ask(await decodeWithBrowser(file));
    try {
      return await ask(file);
    } catch (error) {
      if (ParlanteError.from(error).code === "words") throw error;
      // What the crate cannot read, the browser may (Opus). Where both fail, the crate's words are the better ones.
      const decoded = file.size > 0 ? await decodeWithBrowser(file).catch(() => undefined) : undefined;
      if (decoded === undefined) throw error;
      return ask(decoded);
    }
  }

  /** Speaks from where it stands, or from the beginning after the end. */
  async play(): Promise<void> {
    this.#check();
    this.#refuseWhileSaving();
    const from = this.currentTime >= this.duration ? 0 : this.currentTime;
    const resumed = this.#state === "paused";
    await this.#hush(resumed);
    this.#setState("starting");
    try {
      // The click that led here is needed to wake the sound device: ask for it before anything else.
      await Promise.all([this.#player.wake(), this.#host.ask("cue", { from })]);
      await this.#player.play(from);
      this.#setState("playing");
      this.#started();
    } catch (error) {
      this.#ended(true);
      this.#setState(this.#portrait === undefined ? "empty" : "idle");
      throw error;
    }
  }

  /**
   * Speaks a sound at once, or after those before it (`queue`); see {@link play} for a recording that is kept, sought and
   * saved. Files, addresses and `AudioBuffer`s are decoded whole. A stream of samples (mono; `sampleRate` is needed) may
   * come slower or faster than it is heard: 0.3 s after its first piece it is heard and seen, pauses where it is late,
   * and is pulled only 1.5 s ahead. A `MediaStream` or `AudioNode` is live: it is neither played nor kept, has no end,
   * and the face follows it by about 0.15 s (see `latency` of the event `stats`).
   *
   * Resolves when the sound is taken on: {@link flush} waits for its end. A stream that fails later is told by `error`.
   */
  async speak(sound: Sound, { sampleRate, queue = false }: SpeakOptions = {}): Promise<void> {
    this.#check();
    this.#refuseWhileSaving();
    if (this.#portrait === undefined) throw new ParlanteError("not-ready", "Please choose a portrait first.");
    if (sound instanceof MediaStream || sound instanceof AudioNode) return this.#listen(sound);
    const [utterance, readable] = utteranceOf(sound, sampleRate);
    const waits = queue && this.#speech.active;
    const quiet = waits ? undefined : this.#hush();
    const taken = this.#speech.add(utterance);
    if (!waits) this.#setState("starting");
    try {
      await Promise.all([quiet, taken, readable]);
    } catch (error) {
      if (!this.#speech.active) await this.stop();
      throw ParlanteError.from(error, "voice");
    }
  }

  /** Resolves when everything that {@link speak} was given is heard, or was interrupted; live sound has no end. */
  flush(): Promise<void> {
    this.#check();
    return this.#speech.flush();
  }

  /**
   * Falls silent: the sound is faded out within 30 ms, the mouth is shut within 100 ms, what is queued is dropped, and the
   * face idles. What spoke last can be spoken again.
   */
  interrupt(): Promise<void> {
    return this.stop();
  }

  async #listen(sound: MediaStream | AudioNode): Promise<void> {
    await this.#hush();
    this.#setState("starting");
    try {
      const capture = await Capture.open(sound, {
        onEnd: () => void this.#lost(),
        onMute: (muted) => this.#emit("notice", noticeOf(muted ? "microphone-off" : "microphone-on")),
      });
      this.#capture = capture;
      this.#heard = sound;
      const { arrival: from, rate } = capture;
      await this.#host.ask("listen", { from, rate }, from instanceof MessagePort ? [from] : []);
      this.#setState("live");
      this.#started();
    } catch (error) {
      await this.#hush();
      this.#setState("idle");
      throw error;
    }
  }

  /** How loud the live sound is, 0..1; 0 without one. */
  get level(): number {
    return this.#capture?.level ?? 0;
  }

  /** Ends every sound; `resumed`: what was paused goes on. */
  async #hush(resumed = false): Promise<void> {
    this.#player.stop();
    this.#speech.interrupt();
    if (!resumed) this.#ended(true);
    const capture = this.#capture;
    this.#capture = undefined;
    this.#heard = undefined;
    await capture?.close();
  }

  /** The sound device went away in the middle of a recording: the place in it is kept. */
  async #paused(): Promise<void> {
    await this.pause();
    this.#emit("notice", noticeOf("sound-gone"));
  }

  /** The live sound ended by itself. */
  async #lost(): Promise<void> {
    if (this.#capture === undefined) return;
    this.#ended(false);
    await this.stop();
    this.#emit("notice", noticeOf("microphone-gone"));
  }

  /** Holds sound and picture. */
  async pause(): Promise<void> {
    this.#check();
    if (this.#state !== "playing") return;
    this.#player.stop();
    this.#setState("paused");
    await this.#host.ask("freeze", { media: this.currentTime });
  }

  /** The same as {@link interrupt}, by the name that players have for it: a recording goes back to its beginning. */
  async stop(): Promise<void> {
    this.#check();
    const silent = this.#hush();
    this.#player.place(0);
    if (this.#portrait === undefined) return silent;
    await Promise.all([silent, this.#host.ask("idle", { over: false })]);
    this.#setState("idle");
  }

  /** Goes to a second of the voice; goes on speaking there if it spoke. */
  async seek(second: number): Promise<void> {
    this.#check();
    if (!Number.isFinite(second)) throw new ParlanteError("argument", "Seeking needs a number of seconds.");
    const playing = this.#state === "playing";
    this.#player.stop();
    this.#player.place(Math.min(Math.max(0, second), this.duration));
    if (playing) await this.play();
  }

  /** Makes a video file of the whole voice with the present controls. */
  async save(options: SaveOptions = {}): Promise<Blob> {
    this.#check();
    const { format = "mp4", bitrate = 2_500_000, label = "synthetic", signal, onProgress } = options;
    if (!(bitrate >= 100_000 && bitrate <= 50_000_000)) {
      throw new ParlanteError("argument", "The bitrate must lie between 100,000 and 50,000,000 bits a second.");
    }
    throwIfCancelled(signal);
    await this.stop();
    const cancel = () => this.#tell("cancel", undefined);
    signal?.addEventListener("abort", cancel, { once: true });
    this.#onProgress = onProgress;
    this.#setState("saving");
    try {
      return await this.#host.ask("save", { format, controls: this.#controls, bitrate, label });
    } finally {
      this.#onProgress = undefined;
      signal?.removeEventListener("abort", cancel);
      if (!this.#disposed) this.#setState(this.#portrait === undefined ? "empty" : "idle");
    }
  }

  /** What makes the frames, why it was chosen, and what it needs. */
  inspect(): Promise<EngineInfo> {
    this.#check();
    return this.#host.ask("inspect", undefined);
  }

  /**
   * Measures parts of frames and operations of networks on the processor, in about two seconds in which the face stands still
   * now and then. Needs a portrait.
   */
  profile(): Promise<Profile> {
    this.#check();
    return this.#host.ask("profile", undefined);
  }

  /** Faces in a picture, the largest first. The bitmap is closed. */
  findFaces(image: ImageBitmap): Promise<Face[]> {
    this.#check();
    return this.#host.ask("faces", { image }, [image]);
  }

  /** Listens to an event; the answer ends it. */
  on<K extends keyof Events>(event: K, listener: (data: Events[K]) => void): () => void {
    return this.#events.on(event, listener);
  }

  /** Frees everything. The canvas keeps its last picture and cannot be used for another `Parlante`. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#host.close(new ParlanteError("disposed", "This Parlante was disposed of. Please create a new one."));
    await this.#hush();
    await this.#player.close();
    await this.#speech.close();
  }

  #onStats({ live, ...stats }: WorkerEvents["stats"]): void {
    const capture = this.#capture;
    const latency = live && capture && latencyOf(live, capture.latency, stats.frameMs);
    this.#emit("stats", { ...stats, latency, lost: live?.lost ?? 0 });
  }

  /** The recording was heard to its end. */
  #end(): void {
    this.#player.place(0);
    this.#ended(false);
    this.#rest();
  }

  /** Nothing is left to say. */
  #rest(): void {
    this.#tell("idle", { over: true });
    this.#setState("idle");
  }

  #started(): void {
    if (this.#sounding) return;
    this.#sounding = true;
    this.#emit("start", undefined);
  }

  #ended(interrupted: boolean): void {
    if (!this.#sounding) return;
    this.#sounding = false;
    this.#emit("end", { interrupted });
  }

  /** The second of the sound for a second of the face's time line. */
  #placeOf(time: number | undefined): number | undefined {
    return time !== undefined && this.#speech.active ? this.#speech.placeOf(time) : time;
  }

  /** Asks for what happens in every frame only where somebody listens. */
  #watch(): void {
    const visemes = this.#events.has("viseme");
    if (!this.#disposed) this.#tell("watch", { frames: this.#events.has("frame"), visemes });
  }

  /** Tells the worker something; where it refuses, the event `error` says so. */
  #tell<K extends RequestName>(name: K, ask: Requests[K]["ask"], transfer: Transferable[] = []): void {
    this.#host.tell(name, ask, transfer, (error) => this.#emit("error", error));
  }

  #emit<K extends keyof Events>(event: K, data: Events[K]): void {
    this.#events.emit(event, data);
  }

  #setState(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit("state", state);
    if (state === "idle") this.#emit("idle", undefined);
  }

  #refuseWhileSaving(): void {
    if (this.#state !== "saving") return;
    throw new ParlanteError("not-ready", "A video is being saved: please wait for it, or cancel it.");
  }

  #check(): void {
    if (this.#disposed) throw new ParlanteError("disposed", "This Parlante was disposed of. Please create a new one.");
  }
}
