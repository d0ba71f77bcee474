import { el } from "./elements.js";

const button = el<HTMLButtonElement>("full-screen");
const frame = el("frame");

/** The face alone on the whole screen, and back. */
export async function toggleFullScreen(): Promise<void> {
  if (document.fullscreenElement === null) await frame.requestFullscreen();
  else await document.exitFullscreen();
}

/** Shows the button where the browser can do it. */
export function offerFullScreen(): void {
  button.hidden = !document.fullscreenEnabled;
  button.onclick = () => void toggleFullScreen();
  document.addEventListener("fullscreenchange", () => {
    button.setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  });
}
