import { el } from "./elements.js";

const line = el("status");

/** Says one sentence under the face; screen readers hear it. */
export function say(text: string): void {
  line.classList.remove("wrong");
  line.textContent = text;
}

/** Says what went wrong, and what to do. */
export function sayError(error: unknown): void {
  line.classList.add("wrong");
  line.textContent = error instanceof Error ? error.message : String(error);
}
