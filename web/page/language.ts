// The words of the page in the language of the person. English is built in; the others are fetched when they are wanted.

import { type Notice, ParlanteError } from "parlante";
import english from "./messages/en.json";

/** The name of a message. */
export type Key = keyof typeof english;
/** Messages whose form depends on a number: `faces.one`, `faces.other` … */
export type Counted = "faces" | "frames";
type Messages = Readonly<Record<string, string>>;

/** Languages of the page, as they call themselves, and where their words are. */
export const LANGUAGES: Readonly<Record<string, { readonly name: string; readonly load: () => Promise<Messages> }>> = {
  en: { name: "English", load: async () => english },
  it: { name: "Italiano", load: async () => (await import("./messages/it.json")).default },
  es: { name: "Español", load: async () => (await import("./messages/es.json")).default },
  fr: { name: "Français", load: async () => (await import("./messages/fr.json")).default },
  ar: { name: "العربية", load: async () => (await import("./messages/ar.json")).default },
};
/** Languages that are written from right to left. */
const RIGHT_TO_LEFT = new Set(["ar"]);

let language = "en";
let messages: Messages = english;
let plurals = new Intl.PluralRules(language);
/** Elements whose words come from the page's state, and how to say them. */
const shown = new Map<Element, () => string>();
const named = new Map<Element, () => string>();
const listeners: (() => void)[] = [];

/** The code of the language that the page speaks. */
export function current(): string {
  return language;
}

/** The first of `wanted` (`fr-CA`, `en` …) that the page knows; English where it knows none. */
export function choose(wanted: readonly string[]): string {
  const codes = wanted.map((tag) => tag.toLowerCase().split("-")[0] ?? "");
  return codes.find((code) => Object.hasOwn(LANGUAGES, code)) ?? "en";
}

/** Puts values into the places of a message: `{name}`. */
function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    if (typeof value === "number") return number(value);
    // Names of files keep their own direction within a sentence that runs the other way.
    return value === undefined ? place : RIGHT_TO_LEFT.has(language) ? `\u2068${value}\u2069` : value;
  });
}

/** A message; numbers are written as the language writes them. */
export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return filled(messages[key] ?? english[key], values);
}

/** A message in the form that `count` takes. */
export function counted(key: Counted, count: number): string {
  const form = messages[`${key}.${plurals.select(count)}`] ?? messages[`${key}.other`] ?? english[`${key}.other`];
  return filled(form, { count });
}

/** A number as the language writes it. */
export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(language, options).format(value);
}

/** An error in the page's language: by its code, or in English as the library says it, which is more exact. */
export function errorText(error: unknown): string {
  const key = error instanceof ParlanteError ? (`error.${error.code}` as Key) : undefined;
  if (key !== undefined && key in english && language !== "en") return t(key);
  return error instanceof Error ? error.message : String(error);
}

/** A notice in the page's language; what the library says about words is more exact. */
export function noticeText({ code, message }: Notice): string {
  return language === "en" && code === "words" ? message : t(`notice.${code}`);
}

/** Shows a message, or what `what` says, as the text of an element; it follows the language from now on. */
export function show(element: Element, what: Key | (() => string)): void {
  const say = typeof what === "string" ? () => t(what) : what;
  shown.set(element, say);
  const text = say();
  if (element.textContent !== text) element.textContent = text;
}

/** The same for what screen readers call an element. */
export function name(element: Element, what: Key | (() => string)): void {
  const say = typeof what === "string" ? () => t(what) : what;
  named.set(element, say);
  element.setAttribute("aria-label", say());
}

/** Hears that the language has changed. */
export function onLanguage(listener: () => void): void {
  listeners.push(listener);
}

/** Changes the language of everything on the page; answers whether its words could be fetched. */
export async function speakLanguage(code: string): Promise<boolean> {
  const found = Object.hasOwn(LANGUAGES, code) ? LANGUAGES[code] : undefined;
  if (found === undefined) return false;
  try {
    messages = await found.load();
  } catch {
    return false;
  }
  language = code;
  plurals = new Intl.PluralRules(code);
  document.documentElement.lang = code;
  document.documentElement.dir = RIGHT_TO_LEFT.has(code) ? "rtl" : "ltr";
  for (const element of document.querySelectorAll<HTMLElement>("[data-text], [data-name], [data-hint]")) {
    const { text, name: label, hint } = element.dataset;
    if (text !== undefined) element.textContent = t(text as Key);
    if (label !== undefined) element.setAttribute("aria-label", t(label as Key));
    if (hint !== undefined) element.title = t(hint as Key);
  }
  for (const [element, say] of shown) element.textContent = say();
  for (const [element, say] of named) element.setAttribute("aria-label", say());
  for (const listener of listeners) listener();
  return true;
}
