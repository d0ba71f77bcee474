import { ParlanteError } from "../errors.js";

/** Largest picture whose pixels are taken from the browser. */
const MOST_PIXELS = 50_000_000;

/** The pixels (RGBA) of a picture; the bitmap is closed. */
export function pixelsOf(bitmap: ImageBitmap): ImageData {
  try {
    const { width, height } = bitmap;
    if (width * height > MOST_PIXELS) {
      throw new ParlanteError("portrait", `The picture has ${width} x ${height} pixels. Please choose a smaller one.`);
    }
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (context === null) throw new ParlanteError("portrait", "The picture is too large for this browser.");
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, width, height);
  } finally {
    bitmap.close();
  }
}
