/** Sound that starts, runs dry or is cut is faded over so long, seconds: too short to hear, too long to click. */
const EDGE = 0.004;
const CUT = 0.03;

/** Scheduled sound on its way to the loudspeaker, piece after piece, without a click at its ends. */
export class Outlet {
  readonly #edges: GainNode;
  readonly #cut: GainNode;
  readonly #sources = new Set<AudioBufferSourceNode>();
  #until = 0;
  #closed = false;

  constructor(
    private readonly context: AudioContext,
    to: AudioNode,
  ) {
    this.#edges = context.createGain();
    this.#cut = context.createGain();
    this.#edges.connect(this.#cut);
    this.#cut.connect(to);
  }

  /** The time of the context up to which sound is scheduled. */
  get until(): number {
    return this.#until;
  }

  /** Plays samples, one array a channel, at the context's own rate. */
  play(planes: readonly Float32Array[], at: number): void {
    const [first] = planes;
    if (first === undefined || first.length === 0) return;
    const buffer = this.context.createBuffer(planes.length, first.length, this.context.sampleRate);
    for (const [channel, plane] of planes.entries()) {
      buffer.copyToChannel(plane as Float32Array<ArrayBuffer>, channel);
    }
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#edges);
    source.onended = () => {
      this.#sources.delete(source);
      if (this.#closed) this.#letGo();
    };
    source.start(at);
    this.#sources.add(source);
    this.#shape(at, at + first.length / this.context.sampleRate);
  }

  /** Moves the end of the sound, and begins softly where it does not go on from the sound before. */
  #shape(at: number, until: number): void {
    const { gain } = this.#edges;
    gain.cancelScheduledValues(Math.max(this.context.currentTime, this.#until - EDGE));
    if (at > this.#until + EDGE) {
      gain.setValueAtTime(0, at);
      gain.linearRampToValueAtTime(1, at + EDGE);
    }
    gain.setValueAtTime(1, Math.max(at + EDGE, until - EDGE));
    gain.linearRampToValueAtTime(0, Math.max(at + 2 * EDGE, until));
    this.#until = until;
  }

  /** Ends everything within {@link CUT}. */
  cut(): void {
    if (this.#closed) return;
    this.#closed = true;
    const now = this.context.currentTime;
    this.#cut.gain.setValueAtTime(1, now);
    this.#cut.gain.linearRampToValueAtTime(0, now + CUT);
    for (const source of this.#sources) source.stop(now + CUT);
    this.#letGo();
  }

  #letGo(): void {
    if (this.#sources.size > 0) return;
    this.#edges.disconnect();
    this.#cut.disconnect();
  }
}
