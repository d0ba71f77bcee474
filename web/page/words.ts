import type { Words } from "parlante";
import { el } from "./elements.js";
import { wordsKind } from "./files.js";
import { say, sayError } from "./status.js";
import { FIXED, SAY } from "./text.js";

const transcript = el<HTMLTextAreaElement>("transcript");
const follow = el<HTMLButtonElement>("follow");
const forget = el<HTMLButtonElement>("forget-words");
const file = el<HTMLInputElement>("phones-file");

/** Words that the lips follow instead of what is heard: a transcript, or a file with the times of phones or visemes. */
export class WordsPanel {
  #busy = false;

  /** `give` lays words under the voice that is in place. */
  constructor(private readonly give: (words: Words) => Promise<void>) {
    follow.onclick = () => void this.#give({ transcript: transcript.value }, SAY.followsText);
    forget.onclick = () => void this.#give({}, SAY.followsSound);
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
    if (wordsKind(chosen) !== "transcript") return this.#give({ phones: chosen }, SAY.followsPhones(chosen.name));
    transcript.value = (await chosen.text()).trim();
    return this.#give({ transcript: transcript.value }, SAY.followsText);
  }

  /** Another voice is in place, whose words nobody knows. */
  forget(): void {
    transcript.value = "";
    this.#show(FIXED.followsSound, false);
  }

  async #give(words: Words, done: string): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#refresh();
    try {
      say(SAY.fitting);
      await this.give(words);
      const known = words.phones !== undefined || words.transcript !== undefined;
      if (words.transcript === undefined) transcript.value = "";
      this.#show(known ? done : FIXED.followsSound, known);
      say(done);
    } catch (error) {
      sayError(error);
    } finally {
      this.#busy = false;
      this.#refresh();
    }
  }

  #show(what: string, known: boolean): void {
    el("words-name").textContent = what;
    forget.hidden = !known;
    this.#refresh();
  }

  #refresh(): void {
    follow.disabled = this.#busy || transcript.value.trim() === "";
    forget.disabled = this.#busy;
  }
}
