import type { Words } from "parlante";
import { el } from "./elements.js";
import { wordsKind } from "./files.js";
import { type Key, show, t } from "./language.js";
import { say, sayError } from "./status.js";

const transcript = el<HTMLTextAreaElement>("transcript");
const follow = el<HTMLButtonElement>("follow");
const forget = el<HTMLButtonElement>("forget-words");
const file = el<HTMLInputElement>("phones-file");

/** Words that the lips follow instead of what is heard: a transcript, or a file with the times of phones or visemes. */
export class WordsPanel {
  #busy = false;

  /** `give` lays words under the voice that is in place. */
  constructor(private readonly give: (words: Words) => Promise<void>) {
    follow.onclick = () => void this.#give({ transcript: transcript.value }, "followsText");
    forget.onclick = () => void this.#give({}, "followsSound");
    transcript.oninput = () => this.#refresh();
    file.onchange = () => {
      const chosen = file.files?.[0];
      // The same file may be chosen again after it was changed.
      file.value = "";
      if (chosen) void this.take(chosen);
    };
    this.forget();
  }

  /** A file of words, chosen or dropped. */
  async take(chosen: File): Promise<void> {
    el<HTMLDetailsElement>("words").open = true;
    if (wordsKind(chosen) !== "transcript")
      return this.#give({ phones: chosen }, () => t("followsPhones", { name: chosen.name }));
    transcript.value = (await chosen.text()).trim();
    return this.#give({ transcript: transcript.value }, "followsText");
  }

  /** Another voice is in place, whose words nobody knows. */
  forget(): void {
    transcript.value = "";
    this.#show("followsSound", false);
  }

  async #give(words: Words, done: Key | (() => string)): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#refresh();
    try {
      say("fitting");
      await this.give(words);
      const known = words.phones !== undefined || words.transcript !== undefined;
      if (words.transcript === undefined) transcript.value = "";
      this.#show(known ? done : "followsSound", known);
      say(done);
    } catch (error) {
      sayError(error);
    } finally {
      this.#busy = false;
      this.#refresh();
    }
  }

  #show(what: Key | (() => string), known: boolean): void {
    show(el("words-name"), what);
    forget.hidden = !known;
    this.#refresh();
  }

  #refresh(): void {
    follow.disabled = this.#busy || transcript.value.trim() === "";
    forget.disabled = this.#busy;
  }
}
