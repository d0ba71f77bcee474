// Which language the page begins in, and the list to choose another.

import { el, make } from "./elements.js";
import { choose, current, LANGUAGES, speakLanguage } from "./language.js";
import type { Panel } from "./panel.js";
import { languageIn } from "./settings.js";

const list = el<HTMLSelectElement>("language");
/** The language that somebody chose: by the list, or in the address that was passed on. */
let byHand: string | undefined;

/** The language for the address; none where the page follows the browser. */
export function chosenLanguage(): string | undefined {
  return byHand;
}

/** Begins in the language of the address, or else the first of the browser's that the page knows. */
export async function startLanguage(): Promise<void> {
  const asked = languageIn(location.hash);
  if (asked !== undefined && Object.hasOwn(LANGUAGES, asked)) byHand = asked;
  await speakLanguage(byHand ?? choose(navigator.languages));
}

/** Fills the list of languages, each under its own name. */
export function offerLanguages(panel: Pick<Panel, "change">): void {
  for (const [value, { name }] of Object.entries(LANGUAGES)) {
    list.append(make("option", { value, textContent: name, lang: value }));
  }
  list.value = current();
  const change = async (code: string) => {
    if (await speakLanguage(code)) byHand = code;
    list.value = current();
    panel.change({});
  };
  list.onchange = () => void change(list.value);
  addEventListener("hashchange", () => {
    const asked = languageIn(location.hash);
    if (asked !== undefined && asked !== current()) void change(asked);
  });
}
