import { el } from "./elements.js";
import { errorText, type Key, show } from "./language.js";

const line = el("status");

/** Says one sentence under the face; screen readers hear it. */
export function say(what: Key | (() => string)): void {
  line.classList.remove("wrong");
  show(line, what);
}

/** Says what went wrong, and what to do. */
export function sayError(error: unknown): void {
  line.classList.add("wrong");
  show(line, () => errorText(error));
}

/** Says what went wrong in the page's own words. */
export function sayWrong(what: Key | (() => string)): void {
  line.classList.add("wrong");
  show(line, what);
}
