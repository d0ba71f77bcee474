import { ParlanteError } from "../errors.js";

/** Largest picture that the browser is asked to decode, pixels. */
const MOST_PIXELS = 50_000_000;

/** The pixels (RGBA) of anything that the browser can decode. */
export async function pixelsOf(image: Blob | ImageBitmap): Promise<ImageData> {
  const bitmap = image instanceof Blob ? await decode(image) : image;
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

async function decode(image: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(image, { imageOrientation: "from-image" });
  } catch {
    throw new ParlanteError("portrait", "This file is not a picture that can be read. Please choose a JPEG or PNG.");
  }
}
