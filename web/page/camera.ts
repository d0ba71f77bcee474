import { el } from "./elements.js";
import { t } from "./language.js";
import { sayError, sayWrong } from "./status.js";
import { deviceError } from "./text.js";

const dialog = el<HTMLDialogElement>("camera");
const view = el<HTMLVideoElement>("camera-view");

/** Lets a person take a photo of themselves; `take` is given it. */
export function offerCamera(take: (photo: File) => void): void {
  el("camera-open").onclick = () => void open();
  el("camera-take").onclick = () => void snap(take);
  dialog.addEventListener("close", close);
}

async function open(): Promise<void> {
  if (navigator.mediaDevices === undefined) return sayWrong("camera.missing");
  try {
    const wanted = { width: { ideal: 1280 }, height: { ideal: 1280 }, facingMode: "user" };
    view.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted });
    dialog.showModal();
    await view.play();
  } catch (error) {
    dialog.close();
    if (error instanceof DOMException) sayWrong(() => deviceError("camera", error));
    else sayError(error);
  }
}

/** The picture as it is now: not mirrored, as others see the person. */
async function snap(take: (photo: File) => void): Promise<void> {
  const canvas = new OffscreenCanvas(view.videoWidth, view.videoHeight);
  canvas.getContext("2d")?.drawImage(view, 0, 0);
  const photo = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
  dialog.close();
  take(new File([photo], t("photoName"), { type: photo.type }));
}

/** Lets go of the camera, so that its light goes out. */
function close(): void {
  const stream = view.srcObject as MediaStream | null;
  for (const track of stream?.getTracks() ?? []) track.stop();
  view.srcObject = null;
}
