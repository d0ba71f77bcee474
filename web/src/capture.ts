import type { CaptureTarget, SharedSound } from "./capture-worklet.js";
import { ParlanteError } from "./errors.js";
import { sharedSound, sharesMemory } from "./ring.js";
import { wake } from "./wake.js";

/** Samples that a worklet is given at a time. */
const QUANTUM = 128;
/** Seconds of a message, where memory is not shared. */
const MESSAGE = 0.01;

/** What happens to live sound without anybody's doing. */
export interface CaptureHost {
  /** The stream ended by itself, because a plug was pulled or a call is over. */
  onEnd(): void;
  /** The system keeps the sound back (a switch on the microphone, a headset that changes its mode), or gives it again. */
  onMute(muted: boolean): void;
}

/**
 * Sound devices and worklets that nobody needs now. They are used again, because browsers keep a worklet as long as its
 * page: a thousand starts would leave a thousand of them.
 */
const devices: AudioContext[] = [];
const worklets = new WeakMap<BaseAudioContext, AudioWorkletNode[]>();

/** Live sound on its way to the worker, until it is closed. */
export class Capture {
  readonly #analyser: AnalyserNode;
  readonly #window: Float32Array<ArrayBuffer>;

  private constructor(
    private readonly context: AudioContext,
    private readonly node: AudioWorkletNode,
    private readonly source: AudioNode,
    /** The stream, where there is one; its context is ours. */
    private readonly stream: MediaStream | undefined,
    /** Where the sound arrives: for the worker. */
    readonly arrival: MessagePort | SharedSound,
    private readonly hangUp: AbortController,
  ) {
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#window = new Float32Array(this.#analyser.fftSize);
    source.connect(this.#analyser);
  }

  /** How loud it is now: the root of the mean square, 0..1. */
  get level(): number {
    this.#analyser.getFloatTimeDomainData(this.#window);
    return Math.sqrt(this.#window.reduce((sum, x) => sum + x * x, 0) / this.#window.length);
  }

  /** Hertz. */
  get rate(): number {
    return this.context.sampleRate;
  }

  /** From the air to the worker, as far as the browser tells: the device's own delay and one piece, seconds. */
  get latency(): number {
    const settings: MediaTrackSettings & { latency?: number } = this.stream?.getAudioTracks()[0]?.getSettings() ?? {};
    const piece = this.arrival instanceof MessagePort ? MESSAGE : QUANTUM / this.rate;
    return (settings.latency ?? 0) + piece;
  }

  /** Starts to listen to a stream (a microphone, a call) or to a node of somebody's own audio graph. */
  static async open(sound: MediaStream | AudioNode, host: CaptureHost): Promise<Capture> {
    if (sound instanceof AudioNode) return Capture.#open(sound.context as AudioContext, sound, undefined, host);
    if (sound.getAudioTracks().length === 0) {
      throw new ParlanteError("voice", "This stream has no sound. Please choose one with a microphone in it.");
    }
    const used = devices.pop();
    const context = used ?? new AudioContext({ latencyHint: "interactive" });
    try {
      return await Capture.#open(context, context.createMediaStreamSource(sound), sound, host);
    } catch (error) {
      await context.close();
      // A device that was used before may not go with another microphone.
      if (used !== undefined) return Capture.open(sound, host);
      throw ParlanteError.from(error, "voice");
    }
  }

  static async #open(
    context: AudioContext,
    source: AudioNode,
    stream: MediaStream | undefined,
    host: CaptureHost,
  ): Promise<Capture> {
    const node = await workletOf(context);
    const arrival = target(node, context.sampleRate);
    source.connect(node);
    const hangUp = new AbortController();
    const capture = new Capture(context, node, source, stream, arrival, hangUp);
    try {
      await wake(context, "The browser wants a click before it listens. Please press the button again.");
    } catch (error) {
      capture.#letGo();
      throw error;
    }
    const { signal } = hangUp;
    for (const track of stream?.getAudioTracks() ?? []) {
      track.addEventListener("ended", () => host.onEnd(), { signal });
      track.addEventListener("mute", () => host.onMute(true), { signal });
      track.addEventListener("unmute", () => host.onMute(false), { signal });
    }
    // A call or a sleep takes the sound device away; it is ours again as soon as the browser allows it.
    if (stream !== undefined) {
      const again = () => context.state !== "closed" && void context.resume().catch(() => {});
      context.addEventListener("statechange", again, { signal });
    }
    return capture;
  }

  /** Stops listening; the stream or node lives on. */
  async close(): Promise<void> {
    this.#letGo();
    if (this.stream === undefined) return;
    await this.context.suspend();
    devices.push(this.context);
  }

  #letGo(): void {
    this.hangUp.abort();
    this.node.port.postMessage(undefined satisfies CaptureTarget);
    this.source.disconnect(this.node);
    this.source.disconnect(this.#analyser);
    worklets.set(this.context, [...(worklets.get(this.context) ?? []), this.node]);
  }
}

/** A worklet of a context that nobody uses. */
async function workletOf(context: AudioContext): Promise<AudioWorkletNode> {
  const used = worklets.get(context)?.pop();
  if (used !== undefined) return used;
  await context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
  return new AudioWorkletNode(context, "parlante-capture", { numberOfOutputs: 0 });
}

/** Tells the worklet where to leave the sound: in shared memory where the page may, otherwise in messages. */
function target(node: AudioWorkletNode, rate: number): MessagePort | SharedSound {
  if (sharesMemory()) {
    const shared = sharedSound(rate);
    node.port.postMessage(shared satisfies CaptureTarget);
    return shared;
  }
  const { port1, port2 } = new MessageChannel();
  node.port.postMessage(port1 satisfies CaptureTarget, [port1]);
  return port2;
}
