// The page in other languages: it follows the browser, can be told otherwise, and fits what is longer or runs the other way.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { axe } from "./kit/axe.js";
import { launch } from "./kit/chromium.js";
import { PAGE, ROOT, type Served, serve } from "./kit/serve.js";
import { choose, expectStatus, openPage, status } from "./kit/studio.js";

const SHOTS = join(ROOT, "wasm-tests/shots");

let browser: Browser;
let served: Served;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await launch("cpu");
  served = await serve(PAGE);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

it("speaks Arabic from right to left, fits a phone, and axe-core finds nothing", async () => {
  const look = { viewport: { width: 360, height: 740 }, colorScheme: "dark" };
  const { page, context, errors } = await openPage(browser, served, "#lang=ar", look);
  for (const summary of await page.locator("details > summary").all()) await summary.click();
  const { lang, dir } = await page.evaluate(() => {
    const { lang, dir } = document.documentElement;
    return { lang, dir };
  });
  expect([lang, dir]).toEqual(["ar", "rtl"]);
  await page.screenshot({ path: join(SHOTS, "page-ar-360.png"), fullPage: true });
  expect(await axe(page)).toEqual([]);
  // The focus goes as the language is read.
  const right = (id: string) => page.locator(id).evaluate((element) => element.getBoundingClientRect().right);
  expect(await right("#speak")).toBeGreaterThan(await right("#seek"));
  // The library's English errors become sentences of the page's language.
  await choose(page, "voice", { name: "broken.wav", mimeType: "audio/wav", buffer: Buffer.from("RIFF") });
  await expectStatus(page, /^[\u0600-\u06ff\s.،]+$/);
  expect(errors).toEqual([]);
  await context.close();
});

it("follows the browser, and changes in place", async () => {
  const { page, context } = await openPage(browser, served, "#happy=0.5", { locale: "fr-CA" });
  expect(await page.locator("html").getAttribute("lang")).toBe("fr");
  expect(await status(page)).toBe("Prêt");
  expect(new URL(page.url()).hash, "what the browser wants is not passed on").not.toContain("lang");
  await page.locator("#language").selectOption("es");
  await expectStatus(page, /^Listo$/);
  expect(await page.locator("#speak").innerText()).toBe("Hablar");
  expect(await page.locator("#help-open").getAttribute("aria-label")).toBe("Teclas");
  await expect.poll(() => page.url()).toContain("#happy=0.5&lang=es");
  await context.close();
});

it("cuts no word off in any language, on a phone and on a desk", async () => {
  const { page, context } = await openPage(browser, served);
  for (const summary of await page.locator("details > summary").all()) await summary.click();
  const codes = await page
    .locator("#language option")
    .evaluateAll((all) => all.map((o) => (o as HTMLOptionElement).value));
  expect(codes).toHaveLength(5);
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    for (const code of codes) {
      await page.locator("#language").selectOption(code);
      await page.waitForSelector(`html[lang=${code}]`);
      const cut = await page.evaluate(() => {
        const words = document.querySelectorAll("html, button, .button, .slider span, h2, p, dd, dt");
        const visible = [...words].filter((element) => element.checkVisibility() && element.clientWidth > 0);
        return visible
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
          .map(({ outerHTML }) => outerHTML.slice(0, 120));
      });
      expect(cut, `${code} at ${width}`).toEqual([]);
    }
  }
  await context.close();
});
