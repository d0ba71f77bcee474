/** What went wrong, for programs. The error's message says it for people, and what to do. */
export type ErrorCode =
  | "pack" // the model pack is broken, foreign or could not be fetched
  | "portrait" // the picture is empty, truncated, of an unknown type or too large
  | "no-face" // the picture shows no face
  | "background" // the person cannot be told from the background, or its picture cannot be read
  | "voice" // the recording is empty, truncated or of an unknown type
  | "words" // the phones or the transcript cannot be read or do not fit the voice
  | "motion" // the motion could not be made from the recording
  | "decode" // a frame could not be made
  | "webgpu" // WebGPU was asked for and is missing, or its device was lost for good
  | "save" // the browser cannot encode the video, or it could not be written
  | "cancelled" // an `AbortSignal` fired
  | "not-ready" // something is missing: no portrait, no voice
  | "disposed" // the object was used after `dispose()`
  | "argument" // an argument is out of its range
  | "internal"; // a defect in Parlante: please report it

/** Every error of this package: a code for programs and one sentence for people. */
export class ParlanteError extends Error {
  override readonly name = "ParlanteError";

  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }

  /** Any thrown value as a `ParlanteError`; what is none yet counts as `fallback`. */
  static from(thrown: unknown, fallback: ErrorCode = "internal"): ParlanteError {
    if (thrown instanceof ParlanteError) return thrown;
    if (thrown instanceof DOMException && thrown.name === "AbortError") {
      return new ParlanteError("cancelled", "This was cancelled.");
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    return new ParlanteError(typeof code === "string" ? (code as ErrorCode) : fallback, message);
  }
}

/** An error as it crosses from the worker to the page. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Throws a `cancelled` error once `signal` has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ParlanteError("cancelled", "This was cancelled.");
}
