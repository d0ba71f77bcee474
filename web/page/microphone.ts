import type { Parlante } from "parlante";
import { el } from "./elements.js";
import { say, sayError, sayWrong } from "./status.js";
import { deviceError } from "./text.js";

const button = el<HTMLButtonElement>("microphone");
const level = el<HTMLMeterElement>("level");
/** Spoken softly and spoken loudly, decibels: the ends of the level's bar. */
const [SOFT, LOUD] = [-55, -15];
/** As the field has it for speech: what the browser does about echo and noise helps to understand. */
const WANTED = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } };

/** Speaking live: the face moves with the microphone, and what was said is kept. */
export class Microphone {
  #parlante: Parlante | undefined;
  #stream: MediaStream | undefined;
  #recorder: MediaRecorder | undefined;
  #starting = false;

  /** `keep` takes what was said when it ends. */
  constructor(private readonly keep: (recording: Blob) => void) {
    button.disabled = true;
    button.onclick = () => void this.toggle();
  }

  /** The face is ready. */
  attach(parlante: Parlante): void {
    this.#parlante = parlante;
    button.disabled = false;
    parlante.on("state", (state) => {
      if (state !== "live" && state !== "starting") this.#end();
      button.setAttribute("aria-pressed", String(state === "live"));
      level.hidden = state !== "live";
      el("live-hint").hidden = state === "live";
      if (state === "live") this.#showLevel();
    });
  }

  /** Goes live, or stops. */
  async toggle(): Promise<void> {
    const parlante = this.#parlante;
    if (parlante === undefined || this.#starting || parlante.state === "saving") return;
    if (parlante.state === "live") return parlante.stop().catch(sayError);
    if (navigator.mediaDevices === undefined) return sayWrong("microphone.missing");
    this.#starting = true;
    try {
      say("asking");
      this.#stream = await navigator.mediaDevices.getUserMedia(WANTED);
      await parlante.speak(this.#stream);
      this.#record(this.#stream);
    } catch (error) {
      this.#end();
      if (error instanceof DOMException) sayWrong(() => deviceError("microphone", error));
      else sayError(error);
    } finally {
      this.#starting = false;
    }
  }

  #record(stream: MediaStream): void {
    const pieces: Blob[] = [];
    const recorder = new MediaRecorder(stream);
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.onstop = () => this.keep(new Blob(pieces, { type: recorder.mimeType }));
    // In pieces, so that nothing is lost when the microphone goes away.
    recorder.start(1000);
    this.#recorder = recorder;
  }

  /** Lets go of the microphone, so that the browser's sign for it goes out. */
  #end(): void {
    if (this.#recorder?.state === "recording") this.#recorder.stop();
    this.#recorder = undefined;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
  }

  #showLevel(): void {
    if (this.#parlante?.state !== "live") return;
    const decibels = 20 * Math.log10(this.#parlante.level + 1e-6);
    level.value = Math.min(1, Math.max(0, (decibels - SOFT) / (LOUD - SOFT)));
    setTimeout(() => this.#showLevel(), 60);
  }
}
