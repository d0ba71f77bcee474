import { type Parlante, ParlanteError } from "parlante";
import { el, make } from "./elements.js";
import { show, t } from "./language.js";
import { say, sayError } from "./status.js";
import { progress as progressText, saved } from "./text.js";

const button = el<HTMLButtonElement>("save");
const format = el<HTMLSelectElement>("format");
const bar = el<HTMLProgressElement>("progress");

/** Saves the video as a file, with progress and a way out. */
export class Save {
  #parlante: Parlante | undefined;
  #abort: AbortController | undefined;

  constructor() {
    button.disabled = true;
    button.onclick = () => void this.start();
    el("cancel").onclick = () => this.#abort?.abort();
  }

  attach(parlante: Parlante): void {
    this.#parlante = parlante;
    button.disabled = false;
  }

  async start(): Promise<void> {
    const parlante = this.#parlante;
    if (parlante === undefined || this.#abort !== undefined) return;
    this.#abort = new AbortController();
    this.#show(true);
    const kind = format.value === "webm" ? "webm" : "mp4";
    try {
      const label = el<HTMLInputElement>("with-label").checked ? t("synthetic") : "";
      const onProgress = (progress: { done: number; left: number | undefined }) => this.#progress(progress);
      const blob = await parlante.save({ format: kind, label, onProgress, signal: this.#abort.signal });
      const name = `parlante.${kind}`;
      download(blob, name);
      say(() => saved(name, blob.size));
    } catch (error) {
      if (error instanceof ParlanteError && error.code === "cancelled") say("notSaved");
      else sayError(error);
    } finally {
      this.#abort = undefined;
      this.#show(false);
    }
  }

  #show(saving: boolean): void {
    el("saving").hidden = !saving;
    button.disabled = saving;
    format.disabled = saving;
    if (saving) {
      say("saving");
      this.#progress({ done: 0, left: undefined });
    }
  }

  #progress({ done, left }: { done: number; left: number | undefined }): void {
    bar.value = done;
    show(el("left"), () => progressText(done, left));
  }
}

/** Hands a finished file to the person. */
function download(blob: Blob, name: string): void {
  const href = URL.createObjectURL(blob);
  const link = make("a", { href, download: name });
  link.click();
  // The browser needs the address until it has taken the file.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
