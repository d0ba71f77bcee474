import type { Parlante, State } from "parlante";
import { el, fillTrack } from "./elements.js";
import { type Key, name, show } from "./language.js";
import { say, sayError } from "./status.js";
import { clock } from "./text.js";

const speak = el<HTMLButtonElement>("speak");
const seek = el<HTMLInputElement>("seek");
const volume = el<HTMLInputElement>("volume");
const mute = el<HTMLButtonElement>("mute");

/** What the canvas shows, for those who cannot see it. */
const CANVAS: Partial<Record<State, Key>> = {
  empty: "face.empty",
  idle: "face.idle",
  playing: "face.playing",
  live: "face.live",
  paused: "face.paused",
};

/** Speak, pause, seek and volume. Pressed before the face is ready, Speak waits and says so. */
export class Transport {
  #parlante: Parlante | undefined;
  #wanted = false;
  #spoken = false;
  #dragging = false;

  constructor() {
    speak.onclick = () => this.toggle();
    seek.oninput = () => {
      this.#dragging = true;
      this.#showTime(seek.valueAsNumber);
    };
    seek.onchange = () => void this.#seek();
    volume.oninput = () => this.#setVolume();
    mute.onclick = () => this.toggleMute();
    fillTrack(volume);
    fillTrack(seek);
    name(el("face"), "face.empty");
  }

  /** The face is ready: from now on the buttons work on it. */
  attach(parlante: Parlante): void {
    this.#parlante = parlante;
    this.#setVolume();
    parlante.on("state", (state) => this.#show(state));
    parlante.on("end", ({ interrupted }) => {
      if (interrupted) return;
      this.#spoken = true;
      say("spoken");
    });
    this.#show(parlante.state);
    this.#follow();
    if (this.#wanted) this.toggle();
  }

  /** A new voice or portrait: it has not been spoken yet. */
  renewed(): void {
    this.#spoken = false;
    if (this.#parlante) this.#show(this.#parlante.state);
  }

  /** The one primary action: speak, pause, go on. */
  toggle(): void {
    if (this.#parlante === undefined) {
      this.#wanted = !this.#wanted;
      show(speak, this.#wanted ? "speak.waiting" : "speak.idle");
      say(this.#wanted ? "waiting" : () => "");
    } else if (this.#parlante.state === "live") this.#parlante.stop().catch(sayError);
    else if (this.#parlante.state === "playing") this.#parlante.pause().catch(sayError);
    else this.#parlante.play().catch(sayError);
  }

  toggleMute(): void {
    mute.setAttribute("aria-pressed", String(!this.#muted));
    this.#setVolume();
  }

  get #muted(): boolean {
    return mute.getAttribute("aria-pressed") === "true";
  }

  #setVolume(): void {
    fillTrack(volume);
    if (this.#parlante) this.#parlante.volume = this.#muted ? 0 : volume.valueAsNumber;
  }

  async #seek(): Promise<void> {
    this.#dragging = false;
    await this.#parlante?.seek(seek.valueAsNumber).catch(sayError);
  }

  #show(state: State): void {
    const words: Partial<Record<State, Key>> = {
      playing: "speak.playing",
      paused: "speak.paused",
      live: "speak.live",
      starting: "speak.waiting",
    };
    show(speak, words[state] ?? (this.#spoken ? "speak.again" : "speak.idle"));
    speak.disabled = state === "starting" || state === "saving";
    seek.disabled = state === "saving" || state === "live";
    const description = CANVAS[state];
    if (description) name(el("face"), description);
    if (state === "playing") say("speaking");
    if (state === "paused") say("paused");
    if (state === "live") say("isLive");
  }

  /** Keeps the position in step with what is heard. */
  #follow(): void {
    const parlante = this.#parlante;
    if (parlante === undefined) return;
    const max = String(parlante.duration);
    if (seek.max !== max) seek.max = max;
    if (!this.#dragging) {
      seek.value = String(parlante.currentTime);
      this.#showTime(parlante.currentTime);
    }
    setTimeout(() => this.#follow(), 100);
  }

  #showTime(second: number): void {
    fillTrack(seek);
    const text = `${clock(second)} / ${clock(this.#parlante?.duration ?? 0)}`;
    if (el("time").textContent !== text) el("time").textContent = text;
    seek.setAttribute("aria-valuetext", text);
  }
}
