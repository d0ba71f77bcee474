import { ParlanteError } from "./errors.js";
import { wake } from "./wake.js";

/** Live sound on its way to the worker, until it is closed. */
export class Capture {
  readonly #analyser: AnalyserNode;
  readonly #window: Float32Array<ArrayBuffer>;

  private constructor(
    private readonly context: AudioContext,
    private readonly node: AudioWorkletNode,
    private readonly source: AudioNode,
    /** The context is ours to close. */
    private readonly own: boolean,
    /** Where the pieces arrive: for the worker. */
    readonly port: MessagePort,
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

  /**
   * Starts to listen to a stream (a microphone, a call) or to a node of somebody's own audio graph. `onEnd`: the stream
   * ended by itself, because a plug was pulled or a call is over.
   */
  static async open(sound: MediaStream | AudioNode, onEnd: () => void): Promise<Capture> {
    const own = !(sound instanceof AudioNode);
    if (own && sound.getAudioTracks().length === 0) {
      throw new ParlanteError("voice", "This stream has no sound. Please choose one with a microphone in it.");
    }
    const context = own ? new AudioContext({ latencyHint: "interactive" }) : (sound.context as AudioContext);
    try {
      await context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
      const source = own ? context.createMediaStreamSource(sound) : sound;
      const node = new AudioWorkletNode(context, "parlante-capture", { numberOfOutputs: 0 });
      const { port1, port2 } = new MessageChannel();
      node.port.postMessage(port1, [port1]);
      source.connect(node);
      await wake(context, "The browser wants a click before it listens. Please press the button again.");
      if (own) for (const track of sound.getAudioTracks()) track.addEventListener("ended", onEnd);
      return new Capture(context, node, source, own, port2);
    } catch (error) {
      if (own) await context.close();
      throw ParlanteError.from(error, "voice");
    }
  }

  /** Stops listening; the stream or node lives on. */
  async close(): Promise<void> {
    this.node.port.postMessage(undefined);
    this.source.disconnect(this.node);
    this.source.disconnect(this.#analyser);
    if (this.own) await this.context.close();
  }
}
