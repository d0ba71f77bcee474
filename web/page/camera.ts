import { el } from "./elements.js";
import { sayError } from "./status.js";
import { SAY } from "./text.js";

const dialog = el<HTMLDialogElement>("camera");
const view = el<HTMLVideoElement>("camera-view");

/** Lets a person take a photo of themselves; `take` is given it. */
export function offerCamera(take: (photo: File) => void): void {
  el("camera-open").onclick = () => void open();
  el("camera-take").onclick = () => void snap(take);
  dialog.addEventListener("close", close);
}

async function open(): Promise<void> {
  if (navigator.mediaDevices === undefined) return sayError(SAY.noCamera);
  try {
    const wanted = { width: { ideal: 1280 }, height: { ideal: 1280 }, facingMode: "user" };
    view.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted });
    dialog.showModal();
    await view.play();
  } catch (error) {
    dialog.close();
    const known = error instanceof DOMException ? SAY.camera[error.name] : undefined;
    sayError(known ?? error);
  }
}

/** The picture as it is now: not mirrored, as others see the person. */
async function snap(take: (photo: File) => void): Promise<void> {
  const canvas = new OffscreenCanvas(view.videoWidth, view.videoHeight);
  canvas.getContext("2d")?.drawImage(view, 0, 0);
  const photo = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
  dialog.close();
  take(new File([photo], SAY.photoName, { type: photo.type }));
}

/** Lets go of the camera, so that its light goes out. */
function close(): void {
  const stream = view.srcObject as MediaStream | null;
  for (const track of stream?.getTracks() ?? []) track.stop();
  view.srcObject = null;
}
