import type { Background, Parlante } from "parlante";
import { el } from "./elements.js";
import { say, sayError } from "./status.js";

const choice = el<HTMLSelectElement>("behind");
const colour = el<HTMLInputElement>("behind-colour");
const file = el<HTMLInputElement>("behind-file");

/** What is shown behind the person: the photo's own background, a colour, a picture. */
export class Behind {
  #parlante: Parlante | undefined;
  #picture: File | undefined;
  /** What the face has. */
  #shown = "keep";

  constructor() {
    choice.onchange = () => {
      if (choice.value === "picture" && this.#picture === undefined) this.#ask();
      else void this.#show();
    };
    colour.oninput = () => void this.#show();
    file.onchange = () => {
      this.#picture = file.files?.[0] ?? this.#picture;
      // The same file may be chosen again after it was changed.
      file.value = "";
      void this.#show();
    };
    file.addEventListener("cancel", () => this.#undo());
  }

  /** From now on the face follows. */
  attach(parlante: Parlante): void {
    this.#parlante = parlante;
    parlante.on("notice", ({ code }) => {
      // A new portrait may not allow what the old one did.
      if (code !== "background-kept") return;
      this.#shown = "keep";
      this.#undo();
    });
    if (choice.value !== "keep") void this.#show();
  }

  #ask(): void {
    file.click();
    this.#refresh();
  }

  #wanted(): Background {
    if (choice.value === "colour") return colour.value as `#${string}`;
    if (choice.value === "picture") return this.#picture ?? "keep";
    return choice.value as "keep" | "blur" | "transparent";
  }

  async #show(): Promise<void> {
    this.#refresh();
    try {
      await this.#parlante?.setBackground(this.#wanted());
      this.#shown = choice.value;
      say("behindChanged");
    } catch (error) {
      this.#shown = "keep";
      this.#undo();
      sayError(error);
    }
  }

  #undo(): void {
    choice.value = this.#shown;
    this.#refresh();
  }

  #refresh(): void {
    el("behind-colour").hidden = choice.value !== "colour";
    el("behind-choose").hidden = choice.value !== "picture";
  }
}
