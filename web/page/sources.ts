import type { Parlante, Words } from "parlante";
import { el } from "./elements.js";
import { kindOf } from "./files.js";
import { show, t } from "./language.js";
import { say, sayError, sayWrong } from "./status.js";
import { clock, portraitIs } from "./text.js";
import { WordsPanel } from "./words.js";

/** What is shown and heard before anything was chosen. */
const SAMPLE_PORTRAIT = new URL("./samples/portrait.jpg", import.meta.url);
const SAMPLE_VOICE = new URL("./samples/speech.mp3", import.meta.url);
/** Where the consent is remembered, on this machine only. */
const CONSENT = "parlante.consent";

const frame = el("frame");
const glasses = el<HTMLSelectElement>("glasses");

/** Own photos and recordings, by button, drop or paste, and the way back to the samples. */
export class Sources {
  #parlante: Parlante | undefined;
  /** Files chosen before the engine was there. */
  readonly #early: File[] = [];
  /** What the face speaks. */
  #spoken: Blob | URL = SAMPLE_VOICE;
  readonly #words = new WordsPanel((words) => this.#follow(words));
  /** What the portrait was made of. */
  #photo: File | URL = SAMPLE_PORTRAIT;

  /** `onChange` hears that another portrait or voice is in place. */
  constructor(private readonly onChange: () => void) {
    for (const id of ["portrait-file", "voice-file"]) {
      const input = el<HTMLInputElement>(id);
      input.onchange = () => {
        const file = input.files?.[0];
        // The same file may be chosen again after it was changed.
        input.value = "";
        if (file) void this.take(file);
      };
    }
    glasses.onchange = () => void this.#correctGlasses();
    el("samples").onclick = () => void this.samples().catch(sayError);
    this.#acceptDrops();
    document.addEventListener("paste", (event) => {
      const file = event.clipboardData?.files[0];
      if (file) void this.take(file);
    });
  }

  /** The engine is there: files that were chosen early are taken now. */
  async attach(parlante: Parlante): Promise<void> {
    this.#parlante = parlante;
    await this.samples();
    for (const file of this.#early.splice(0)) await this.take(file);
  }

  /** Sample portrait and sample sentence. */
  async samples(): Promise<void> {
    const parlante = this.#parlante;
    if (parlante === undefined) return;
    glasses.value = "auto";
    this.#photo = SAMPLE_PORTRAIT;
    await parlante.setPortrait(SAMPLE_PORTRAIT);
    frame.classList.add("alive");
    await parlante.setVoice(SAMPLE_VOICE);
    this.#spoken = SAMPLE_VOICE;
    this.#words.forget();
    show(el("portrait-name"), "portraitSample");
    show(el("voice-name"), "voiceSample");
    el("samples").hidden = true;
    say("ready");
    this.onChange();
  }

  /** A file of a person's own: a picture becomes the portrait, a sound the voice, a text the words of the voice. */
  async take(file: File): Promise<void> {
    const kind = kindOf(file);
    if (kind === undefined) return sayWrong(() => t("unknownFile", { name: file.name }));
    if (kind === "portrait" && !(await consent())) return;
    if (this.#parlante === undefined) {
      this.#early.push(file);
      return say("waiting");
    }
    try {
      frame.classList.add("busy");
      if (kind === "portrait") await this.#portrait(this.#parlante, file);
      else if (kind === "voice") await this.#voice(this.#parlante, file);
      else await this.#words.take(file);
      el("samples").hidden = false;
      this.onChange();
    } catch (error) {
      sayError(error);
    } finally {
      frame.classList.remove("busy");
    }
  }

  async #portrait(parlante: Parlante, file: File): Promise<void> {
    say(() => t("looking", { name: file.name }));
    const info = await parlante.setPortrait(file);
    this.#photo = file;
    glasses.value = "auto";
    show(el("portrait-name"), () => file.name);
    say(() => portraitIs(file.name, info));
  }

  /** The portrait once more, with what a person says about its glasses. */
  async #correctGlasses(): Promise<void> {
    const { value } = glasses;
    try {
      frame.classList.add("busy");
      await this.#parlante?.setPortrait(this.#photo, value === "auto" ? {} : { glasses: value === "on" });
      say("glassesChanged");
      this.onChange();
    } catch (error) {
      sayError(error);
    } finally {
      frame.classList.remove("busy");
    }
  }

  async #voice(parlante: Parlante, file: File): Promise<void> {
    say(() => t("hearing", { name: file.name }));
    const { duration } = await parlante.setVoice(file);
    this.#spoken = file;
    this.#words.forget();
    show(el("voice-name"), () => file.name);
    say(() => t("voiceIs", { name: file.name, time: clock(duration) }));
  }

  /** What was said live becomes the voice, to be spoken again and saved. */
  async keep(recording: Blob): Promise<void> {
    const parlante = this.#parlante;
    if (parlante === undefined) return;
    say("keeping");
    try {
      const { duration } = await parlante.setVoice(recording);
      this.#spoken = recording;
      this.#words.forget();
      show(el("voice-name"), "recorded");
      el("samples").hidden = false;
      say(() => t("kept", { time: clock(duration) }));
      this.onChange();
    } catch (error) {
      sayError(error);
    }
  }

  /** The lips follow these words of the voice that is in place, or the sound where they are empty. */
  async #follow(words: Words): Promise<void> {
    await this.#parlante?.setVoice(this.#spoken, words);
    this.onChange();
  }

  #acceptDrops(): void {
    let inside = 0;
    const show = () => el("drop").toggleAttribute("hidden", inside === 0);
    addEventListener("dragenter", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      inside += 1;
      show();
    });
    addEventListener("dragleave", () => {
      inside = Math.max(0, inside - 1);
      show();
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      inside = 0;
      show();
      void this.#takeAll([...(event.dataTransfer?.files ?? [])]);
    });
  }

  async #takeAll(files: File[]): Promise<void> {
    // Words belong to the voice that came with them.
    const last = (file: File) => Number(kindOf(file) === "words");
    for (const file of files.sort((a, b) => last(a) - last(b))) await this.take(file);
  }
}

/** Asks once whether a person may be animated; the answer is remembered on this machine. */
async function consent(): Promise<boolean> {
  if (localStorage.getItem(CONSENT) === "yes") return true;
  const dialog = el<HTMLDialogElement>("consent");
  dialog.returnValue = "no";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  if (dialog.returnValue !== "yes") return false;
  localStorage.setItem(CONSENT, "yes");
  return true;
}
