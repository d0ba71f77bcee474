import { ParlanteError } from "./errors.js";

/** Mono samples: floating point from -1 to 1, 16-bit numbers, or the bytes of 16-bit numbers (little-endian). */
export type Samples = Float32Array | Int16Array | Uint8Array;

/** Sound that comes piece by piece, as speech synthesisers give it. */
export type SampleStream = ReadableStream<Samples> | AsyncIterable<Samples>;

/** Rates that sound may have, hertz. */
const RATES = [8000, 192_000] as const;
/** Rates are multiples of this: every other one would need long filters. */
const STEP = 25;

/** A rate that can be played and understood; anything else is refused. */
export function checkedRate(rate: number | undefined): number {
  const [low, high] = RATES;
  if (rate !== undefined && rate >= low && rate <= high && rate % STEP === 0) return rate;
  throw new ParlanteError(
    "argument",
    "A stream of samples needs its sampleRate: 8,000 to 192,000 hertz, such as 24,000.",
  );
}

export function isSampleStream(sound: unknown): sound is SampleStream {
  if (sound instanceof ReadableStream) return true;
  return typeof sound === "object" && sound !== null && Symbol.asyncIterator in sound;
}

/** Pieces one after another; `cancel` tells their source that nobody wants the rest. */
export interface Pieces {
  next(): Promise<Float32Array | undefined>;
  cancel(): void;
}

/** Reads a stream of samples as floating point. */
export function piecesOf(stream: SampleStream): Pieces {
  const source = stream instanceof ReadableStream ? readerOf(stream) : iteratorOf(stream);
  const toFloat = converter();
  return {
    async next() {
      const piece = await source.next();
      return piece === undefined ? undefined : toFloat(piece);
    },
    // A source that fails while it is let go of has nothing to tell anybody.
    cancel: () => void source.cancel().catch(() => {}),
  };
}

/** A sound that comes in one piece. */
export function onePiece(samples: Promise<Float32Array>): Pieces {
  let left: Promise<Float32Array> | undefined = samples;
  return {
    next() {
      const piece = left;
      left = undefined;
      return piece ?? Promise.resolve(undefined);
    },
    cancel() {
      left = undefined;
    },
  };
}

function readerOf(stream: ReadableStream<Samples>) {
  const reader = stream.getReader();
  return {
    next: async () => (await reader.read()).value,
    cancel: () => reader.cancel(),
  };
}

function iteratorOf(source: AsyncIterable<Samples>) {
  const iterator = source[Symbol.asyncIterator]();
  return {
    async next() {
      const { value, done } = await iterator.next();
      return done ? undefined : (value as Samples);
    },
    cancel: async () => void (await iterator.return?.()),
  };
}

/** Turns pieces into floating point; half a number at the end of one waits for the next. */
function converter(): (piece: Samples) => Float32Array {
  let half: number | undefined;
  return (piece) => {
    if (piece instanceof Float32Array) return sane(piece);
    if (piece instanceof Int16Array) return Float32Array.from(piece, (x) => x / 32_768);
    if (!(piece instanceof Uint8Array)) {
      throw new ParlanteError("voice", "A stream of samples must give Float32Array, Int16Array or Uint8Array pieces.");
    }
    const bytes = half === undefined ? piece : Uint8Array.of(half, ...piece);
    half = bytes.length % 2 === 1 ? bytes[bytes.length - 1] : undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => view.getInt16(i * 2, true) / 32_768);
  };
}

/** Numbers that are none would silence a loudspeaker for good. A copy: the piece stays its maker's. */
function sane(piece: Float32Array): Float32Array {
  return Float32Array.from(piece, (x) => (Number.isFinite(x) ? Math.min(1, Math.max(-1, x)) : 0));
}
