// The message files: every language says everything, with the same values in it.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { choose, LANGUAGES } from "../page/language.js";
import { languageIn } from "../page/settings.js";

type Messages = Readonly<Record<string, string>>;

const folder = new URL("../page/messages/", import.meta.url);
const read = (code: string): Messages => JSON.parse(readFileSync(new URL(`${code}.json`, folder), "utf8"));
const english = read("en");
const FORMS = /\.(zero|one|two|few|many|other)$/;
const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
/** Messages that have a form for every kind of number. */
const counted = Object.keys(english).flatMap((key) => (key.endsWith(".one") ? [key.slice(0, -4)] : []));
const isForm = (key: string) => counted.some((name) => key.startsWith(`${name}.`) && FORMS.test(key));
const others = Object.keys(LANGUAGES).filter((code) => code !== "en");

it("has a file for every language, and none too many", () => {
  expect(readdirSync(folder).sort()).toEqual(
    Object.keys(LANGUAGES)
      .map((code) => `${code}.json`)
      .sort(),
  );
  expect(others).toHaveLength(4);
  expect(counted).toEqual(["faces", "frames"]);
});

describe.each(others)("in %s", (code) => {
  const messages = read(code);
  const plain = (all: Messages) =>
    Object.keys(all)
      .filter((key) => !isForm(key))
      .sort();

  it("everything is said", () => {
    expect(plain(messages)).toEqual(plain(english));
    expect(Object.entries(messages).filter(([, text]) => text.trim() === "")).toEqual([]);
  });

  it("the same values are in every message", () => {
    const wrong = plain(english).filter((key) => `${places(messages[key] ?? "")}` !== `${places(english[key] ?? "")}`);
    expect(wrong).toEqual([]);
  });

  it("every number up to 200 has its form", () => {
    const rules = new Intl.PluralRules(code);
    const wanted = new Set(Array.from({ length: 201 }, (_, n) => rules.select(n)));
    for (const name of counted)
      for (const form of wanted) expect(messages[`${name}.${form}`], `${name}.${form}`).toBeTruthy();
  });

  it("little is left in English", () => {
    const same = Object.keys(messages).filter((key) => messages[key] === english[key]);
    expect(same.length, same.join(", ")).toBeLessThanOrEqual(12);
  });
});

it("chooses the first language of the browser that it knows", () => {
  expect(choose(["fr-CA", "en"])).toBe("fr");
  expect(choose(["de", "ar-EG", "it"])).toBe("ar");
  expect(choose(["de", "constructor"])).toBe("en");
  expect(choose([])).toBe("en");
});

it("reads a language from an address", () => {
  expect(languageIn("#happy=1&lang=it")).toBe("it");
  expect(languageIn("#happy=1")).toBeUndefined();
});
