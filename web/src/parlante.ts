import { Capture } from "./capture.js";
import { type Controls, type ControlsChange, DEFAULT_CONTROLS, withChange } from "./controls.js";
import { decodeWithBrowser } from "./decode-audio.js";
import { ParlanteError, throwIfCancelled } from "./errors.js";
import { Link } from "./link.js";
import { fetchPack } from "./pack.js";
import { Player } from "./player.js";
import type { Backend, Behind, DecodedVoice, Face, PortraitInfo, VoiceInfo, Words, WorkerEvents } from "./protocol.js";

/** How a {@link Parlante} is made. */
export interface CreateOptions {
  /** Where the face appears. It must be fresh: no context may have been taken from it. */
  readonly canvas: HTMLCanvasElement;
  /** The model pack; by default the one that comes with this package. */
  readonly pack?: URL | string | Blob | ArrayBuffer;
  /** Which executor makes the frames; `auto` measures and takes the faster. */
  readonly backend?: Backend | "auto";
  /** Pixels along a side of the picture, 128..1024, even. */
  readonly size?: number;
  /** What is shown behind the person: see {@link Parlante.setBackground}. */
  readonly background?: Background;
  /** Address of the WebAssembly module, where a bundler does not find it by itself. */
  readonly module?: URL | string;
  /** Makes the worker, where a bundler does not find it by itself. */
  readonly createWorker?: () => Worker;
  /** Hears how the pack is loaded. */
  readonly onProgress?: (progress: { readonly loaded: number; readonly total: number | undefined }) => void;
  readonly signal?: AbortSignal;
}

/**
 * What is shown behind the person: the photo's own (`keep`), the same out of focus (`blur`), nothing (`transparent`), a
 * colour such as `#203040`, or another picture, scaled to cover.
 */
export type Background = Behind | URL;

/** How a video is saved. */
export interface SaveOptions {
  readonly format?: "mp4" | "webm";
  /** Bits a second of the picture, 100,000..50,000,000. */
  readonly bitrate?: number;
  /** Words in the corner of every frame; an empty string leaves them out. */
  readonly label?: string;
  /** `done` 0..1; `left` in seconds, once it can be told. */
  readonly onProgress?: (progress: { readonly done: number; readonly left: number | undefined }) => void;
  readonly signal?: AbortSignal;
}

/** What a {@link Parlante} is doing. */
export type State = "empty" | "idle" | "starting" | "playing" | "paused" | "live" | "saving";

/** Events: name and what listeners are given. */
export interface Events {
  state: State;
  stats: WorkerEvents["stats"];
  /** One sentence about something unusual that goes on working. */
  notice: string;
  error: ParlanteError;
  /** The voice was heard to its end. */
  ended: undefined;
}

type Listener<K extends keyof Events> = (data: Events[K]) => void;

/** One face on one canvas. */
export class Parlante {
  readonly #link: Link;
  readonly #player: Player;
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();
  #state: State = "empty";
  #controls: Controls = DEFAULT_CONTROLS;
  #background: Background = "keep";
  #portrait: PortraitInfo | undefined;
  #voice: VoiceInfo | undefined;
  #capture: Capture | undefined;
  #onProgress: SaveOptions["onProgress"];
  #disposed = false;
  readonly #onVisibility = () => void this.#link.ask("visible", { visible: !document.hidden });

  private constructor(worker: Worker) {
    this.#link = new Link(worker, {
      stats: (stats) => this.#emit("stats", stats),
      progress: (progress) => this.#onProgress?.(progress),
      notice: ({ text, kept }) => {
        if (kept) this.#background = "keep";
        this.#emit("notice", text);
      },
      failure: ({ code, message }) => this.#emit("error", new ParlanteError(code, message)),
    });
    this.#player = new Player({
      sound: (from) => this.#link.ask("sound", { from }),
      onClock: (media, epoch) => void this.#link.ask("clock", { media, epoch }),
      onEnd: () => void this.#end(),
      onFailure: (error) => this.#emit("error", ParlanteError.from(error, "voice")),
    });
    document.addEventListener("visibilitychange", this.#onVisibility);
  }

  /** Loads module and pack, and takes over the canvas. */
  static async create(options: CreateOptions): Promise<Parlante> {
    const { canvas, size = 512, backend = "auto", signal, onProgress } = options;
    if (!Number.isInteger(size) || size < 128 || size > 1024 || size % 2 !== 0) {
      throw new ParlanteError("argument", "The size must be an even number of pixels, 128 to 1024.");
    }
    const pack = await fetchPack(options.pack ?? new URL("./parlante.gguf", import.meta.url), onProgress, signal);
    throwIfCancelled(signal);
    const worker = options.createWorker?.() ?? new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const parlante = new Parlante(worker);
    try {
      const offscreen = canvas.transferControlToOffscreen();
      const module = String(options.module ?? "");
      await parlante.#link.ask("open", { module, pack, canvas: offscreen, backend, size }, [offscreen, pack.buffer]);
      if (options.background !== undefined) await parlante.setBackground(options.background);
      return parlante;
    } catch (error) {
      await parlante.dispose();
      throw ParlanteError.from(error);
    }
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
    void this.#link.ask("controls", { controls: this.#controls });
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
    const image =
      source instanceof Blob || source instanceof ImageBitmap ? source : await fetchFile(source, "portrait");
    await this.#hush();
    this.#player.stop();
    this.#player.place(0);
    const transfer = image instanceof ImageBitmap ? [image] : [];
    this.#portrait = await this.#link.ask(
      "portrait",
      { image, face: options.face, glasses: options.glasses },
      transfer,
    );
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
    await this.#link.ask("background", { behind }, behind instanceof ImageBitmap ? [behind] : []);
    this.#background = background;
  }

  /**
   * Takes a recording that the face will speak. With `phones` (times of phones or visemes, as speech synthesisers give
   * them) or a `transcript` (English) the lips follow these instead of what is heard, which is more exact.
   */
  async setVoice(source: Blob | URL | string | AudioBuffer, words: Words = {}): Promise<VoiceInfo> {
    this.#check();
    if (words.phones !== undefined && words.transcript !== undefined) {
      throw new ParlanteError("argument", "Give phones or a transcript with the voice, not both.");
    }
    const file = source instanceof Blob || source instanceof AudioBuffer ? source : await fetchFile(source, "voice");
    await this.#hush();
    // Where the new voice cannot be used, the face waits with the old one.
    if (this.#state === "playing" || this.#state === "paused") await this.stop();
    this.#player.stop();
    this.#player.place(0);
    this.#voice = await this.#readVoice(file, words);
    if (this.#portrait !== undefined) this.#setState("idle");
    return this.#voice;
  }

  async #readVoice(file: Blob | AudioBuffer, words: Words): Promise<VoiceInfo> {
    const ask = (voice: Blob | DecodedVoice) => this.#link.ask("voice", { voice, words });
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
    if (this.#state === "saving") throw new ParlanteError("not-ready", "A video is being saved: please wait for it.");
    const from = this.currentTime >= this.duration ? 0 : this.currentTime;
    await this.#hush();
    this.#setState("starting");
    try {
      // The click that led here is needed to wake the sound device: ask for it before anything else.
      await Promise.all([this.#player.wake(), this.#link.ask("cue", { from })]);
      await this.#player.play(from);
      this.#setState("playing");
    } catch (error) {
      this.#setState(this.#portrait === undefined ? "empty" : "idle");
      throw error;
    }
  }

  /**
   * Speaks with a sound that comes live, such as a microphone's, until {@link stop}. The face follows by about 0.15 s
   * (see `delay` of the event `stats`). The sound is not made audible and not kept.
   */
  async speak(sound: MediaStream | AudioNode): Promise<void> {
    this.#check();
    if (this.#state === "saving") throw new ParlanteError("not-ready", "A video is being saved: please wait for it.");
    if (this.#portrait === undefined) throw new ParlanteError("not-ready", "Please choose a portrait first.");
    this.#player.stop();
    await this.#hush();
    this.#setState("starting");
    try {
      const capture = await Capture.open(sound, () => void this.#lost());
      this.#capture = capture;
      await this.#link.ask("listen", { port: capture.port, rate: capture.rate }, [capture.port]);
      this.#setState("live");
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

  /** Ends live sound. */
  async #hush(): Promise<void> {
    const capture = this.#capture;
    this.#capture = undefined;
    await capture?.close();
  }

  /** The live sound ended by itself. */
  async #lost(): Promise<void> {
    if (this.#capture === undefined) return;
    await this.stop();
    this.#emit("notice", "The microphone went away: please connect it again.");
    this.#emit("ended", undefined);
  }

  /** Holds sound and picture. */
  async pause(): Promise<void> {
    this.#check();
    if (this.#state !== "playing") return;
    this.#player.stop();
    this.#setState("paused");
    await this.#link.ask("freeze", { media: this.currentTime });
  }

  /** Stops, goes back to the beginning, and leaves the face idling. */
  async stop(): Promise<void> {
    this.#check();
    await this.#hush();
    this.#player.stop();
    this.#player.place(0);
    if (this.#portrait === undefined) return;
    await this.#link.ask("idle", undefined);
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
    const cancel = () => void this.#link.ask("cancel", undefined);
    signal?.addEventListener("abort", cancel, { once: true });
    this.#onProgress = onProgress;
    this.#setState("saving");
    try {
      return await this.#link.ask("save", { format, controls: this.#controls, bitrate, label });
    } finally {
      this.#onProgress = undefined;
      signal?.removeEventListener("abort", cancel);
      if (!this.#disposed) this.#setState(this.#portrait === undefined ? "empty" : "idle");
    }
  }

  /** Faces in a picture, the largest first. The bitmap is closed. */
  findFaces(image: ImageBitmap): Promise<Face[]> {
    this.#check();
    return this.#link.ask("faces", { image }, [image]);
  }

  /** Listens to an event; the answer ends it. */
  on<K extends keyof Events>(event: K, listener: Listener<K>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener as Listener<never>));
    return () => void listeners.delete(listener as Listener<never>);
  }

  /** Frees everything. The canvas keeps its last picture and cannot be used for another `Parlante`. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#link.close(new ParlanteError("disposed", "This Parlante was disposed of. Please create a new one."));
    await this.#hush();
    await this.#player.close();
  }

  async #end(): Promise<void> {
    this.#player.place(0);
    this.#setState("idle");
    this.#emit("ended", undefined);
    await this.#link.ask("idle", undefined);
  }

  #emit<K extends keyof Events>(event: K, data: Events[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as Listener<K>)(data);
  }

  #setState(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#emit("state", state);
  }

  #check(): void {
    if (this.#disposed) throw new ParlanteError("disposed", "This Parlante was disposed of. Please create a new one.");
  }
}

/** A file from an address. */
async function fetchFile(address: URL | string, code: "portrait" | "voice" | "background"): Promise<Blob> {
  const response = await fetch(address).catch(() => undefined);
  if (!response?.ok) throw new ParlanteError(code, `"${address}" could not be fetched. Please check the address.`);
  return response.blob();
}
