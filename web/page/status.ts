import type { Notice } from "parlante";
import { el } from "./elements.js";
import { errorText, type Key, noticeText, show } from "./language.js";

const line = el("status");
const aside = el("notice");
/** How long a notice stays, milliseconds. */
const NOTICE = 12_000;
/** Notices that do not ask for anything: they wait for no one, and take nobody's place who does. */
const PASSING: readonly Notice["code"][] = ["slow", "card-lost", "card-slow", "worker-stopped", "words"];
/** The notice that is shown. */
let shown: Notice["code"] | undefined;
let passing: ReturnType<typeof setTimeout> | undefined;

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

/** Says for a while that something unusual happened, beside what is said otherwise. */
export function notify(notice: Notice): void {
  if (shown !== undefined && !PASSING.includes(shown) && PASSING.includes(notice.code)) return;
  shown = notice.code;
  show(aside, () => noticeText(notice));
  clearTimeout(passing);
  passing = setTimeout(() => {
    shown = undefined;
    show(aside, () => "");
  }, NOTICE);
}
