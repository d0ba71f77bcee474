// Words that are known: a transcript or times of phones beside the recording, on the page.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, type Watched } from "./kit/chromium.js";
import { PAGE, type Served, serve } from "./kit/serve.js";
import { choose, expectStatus, openPage, SPEECH } from "./kit/studio.js";

/** What the sample recording says. */
const SAID =
  "And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power to do for them.";

let browser: Browser;
let served: Served;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  browser = await launch("cpu");
  served = await serve(PAGE);
  watched = await openPage(browser, served);
  page = watched.page;
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** Which words the page says that the lips follow. */
const followed = () => page.locator("#words-name").innerText();

/** Chooses a file of timed phones. */
async function give(name: string, text: string): Promise<void> {
  await page.locator("#phones-file").setInputFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
}

it("is reached and told without a mouse", async () => {
  await page.locator("#words > summary").focus();
  await page.keyboard.press("Enter");
  expect(await page.locator("#words").getAttribute("open")).not.toBeNull();
  expect(await page.getByLabel("What is said, in English").count()).toBe(1);
  expect(await page.locator("#follow").isDisabled(), "there is no text to follow yet").toBe(true);
  expect(await followed()).toBe("The lips follow the sound");
});

it("lays a text that is typed in under the voice, and takes it back", async () => {
  await page.locator("#transcript").fill(SAID);
  await page.keyboard.press(" ");
  expect(await page.locator("#transcript").inputValue(), "keys belong to the text").toBe(`${SAID} `);
  await page.locator("#follow").click();
  await expectStatus(page, /^The lips follow the text$/, 60_000);
  expect(await followed()).toBe("The lips follow the text");
  await page.locator("#speak").click();
  await expectStatus(page, /^Speaking$/);
  await page.locator("#forget-words").click();
  await expectStatus(page, /^The lips follow the sound$/, 60_000);
  expect(await page.locator("#transcript").inputValue()).toBe("");
});

it("takes times of phones, and says which line is wrong", async () => {
  await give("times.ctm", "a 1 0.30 0.10 P\na 1 0.40 0.20 AA\n");
  await expectStatus(page, /^The lips follow the times in times\.ctm$/, 60_000);
  await give("wrong.ctm", "a 1 0.30 0.10 P\na 1 0.40 0.20 QQ\n");
  await expectStatus(page, /^Line 2 of the phone file is wrong: .*QQ/);
  await give("late.ctm", "a 1 0.30 0.10 P\na 1 900 1 T\n");
  await expectStatus(page, /^Line 2 of the phone file is wrong: .*the sound ends/);
  expect(await followed(), "what was followed goes on").toBe("The lips follow the times in times.ctm");
});

it("says so when the text belongs to something else", async () => {
  await page.locator("#transcript").fill("Четверг");
  await page.locator("#follow").click();
  await expectStatus(page, /^Line 1 of the transcript/);
});

it("forgets the words with the voice that they belong to", async () => {
  await choose(page, "voice", SPEECH);
  await expectStatus(page, /^Voice: speech\.mp3/);
  expect(await followed()).toBe("The lips follow the sound");
  expect(await page.locator("#transcript").inputValue()).toBe("");
  expect(watched.errors).toEqual([]);
});
