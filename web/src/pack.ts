import { ParlanteError } from "./errors.js";

type Progress = { readonly loaded: number; readonly total: number | undefined };

/** The bytes of a pack; an address is fetched piece by piece, so that its progress can be told. */
export async function fetchPack(
  source: URL | string | Blob | ArrayBuffer,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof ArrayBuffer) return new Uint8Array(source.slice(0));
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  const response = await fetch(source, signal ? { signal } : {}).catch((error: unknown) => {
    if (signal?.aborted) throw ParlanteError.from(error, "cancelled");
    return undefined;
  });
  if (!response?.ok || response.body === null) {
    throw new ParlanteError("pack", `The model pack "${source}" could not be fetched. Please check the address.`);
  }
  const length = response.headers.get("content-encoding") === null ? response.headers.get("content-length") : null;
  const total = length === null ? undefined : Number(length);
  const pieces: Uint8Array[] = [];
  let loaded = 0;
  for await (const piece of response.body) {
    pieces.push(piece);
    loaded += piece.length;
    onProgress?.({ loaded, total });
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
