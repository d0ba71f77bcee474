import { el, make } from "./elements.js";
import { toggleFullScreen } from "./full-screen.js";
import { show } from "./language.js";
import type { Microphone } from "./microphone.js";
import type { Panel } from "./panel.js";
import type { Save } from "./save.js";
import { KEYS } from "./text.js";
import type { Transport } from "./transport.js";

const help = el<HTMLDialogElement>("help");

/** Keyboard, and the help that lists it. */
export function listenToKeys(transport: Transport, panel: Panel, save: Save, microphone: Microphone): void {
  for (const [key, what] of KEYS) {
    const [cap, meaning] = [make("dt"), make("dd")];
    if (typeof key === "string") cap.textContent = key;
    else show(cap, key.key);
    show(meaning, what);
    el("keys").append(cap, meaning);
  }
  el("help-open").onclick = () => help.showModal();

  const actions: Record<string, () => void> = {
    " ": () => transport.toggle(),
    ArrowLeft: () => panel.turnGaze(-1, 0),
    ArrowRight: () => panel.turnGaze(1, 0),
    ArrowUp: () => panel.turnGaze(0, -1),
    ArrowDown: () => panel.turnGaze(0, 1),
    "+": () => panel.approach(1.03),
    "=": () => panel.approach(1.03),
    "-": () => panel.approach(1 / 1.03),
    "0": () => panel.reset(),
    t: () => panel.anotherTake(),
    l: () => void microphone.toggle(),
    m: () => transport.toggleMute(),
    s: () => void save.start(),
    f: () => void toggleFullScreen(),
    "?": () => help.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isField(event.target, event.key)) return;
    const mood = /^[1-7]$/.test(event.key) ? () => panel.toggleMood(Number(event.key) - 1) : undefined;
    const action = mood ?? actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

/** Whether the key belongs to the control that has the focus. */
function isField(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLInputElement) return target.type !== "range" || key.startsWith("Arrow");
  return target instanceof HTMLButtonElement && (key === " " || key === "Enter");
}
