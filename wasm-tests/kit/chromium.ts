import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import flags from "../../scripts/lib/chromium.json" with { type: "json" };

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Flags for an unattended run: no background traffic, sound without a click, everything as it is on two cores. */
const ALWAYS = [
  "--no-sandbox",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];
/** WebGPU on the software Vulkan driver that Chromium brings along. */
const WEBGPU = flags.webgpu;
const NO_WEBGPU = ["--disable-gpu", "--disable-features=WebGPU", "--disable-blink-features=WebGPU"];

/** A browser, with or without WebGPU. A missing one is a failure, never a reason to skip. */
export async function launch(gpu: "webgpu" | "cpu", more: readonly string[] = []): Promise<Browser> {
  const executablePath = PATHS.find(existsSync);
  if (executablePath === undefined) throw new Error("Chromium is missing. Please run: apt-get install -y chromium");
  return chromium.launch({ executablePath, args: [...ALWAYS, ...(gpu === "webgpu" ? WEBGPU : NO_WEBGPU), ...more] });
}

const FAKE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** A browser whose microphone, allowed without a question, hears a WAV file over and over. */
export function launchHearing(recording: string, more: readonly string[] = []): Promise<Browser> {
  return launch("cpu", [...FAKE, `--use-file-for-fake-audio-capture=${recording}`, ...more]);
}

/** A browser whose camera, allowed without a question, sees the pictures of an MJPEG file over and over. */
export function launchSeeing(film: string): Promise<Browser> {
  return launch("cpu", [...FAKE, `--use-file-for-fake-video-capture=${film}`]);
}

/** A page with everything watched that must not happen. */
export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Addresses outside `origin` that the page asked for. */
  readonly foreign: string[];
  /** Errors that nobody caught, and errors on the console. */
  readonly errors: string[];
}

/** Opens a page that is watched. Addresses of the page's own making (blob:, data:) stay on the machine. */
export async function openWatched(browser: Browser, origin: string, options = {}): Promise<Watched> {
  const context = await browser.newContext({
    acceptDownloads: true,
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  const foreign: string[] = [];
  const errors: string[] = [];
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(blob|data):/.test(url)) foreign.push(url);
  });
  const page = await context.newPage();
  page.on("websocket", (socket) => void foreign.push(socket.url()));
  page.on("pageerror", (error) => void errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, context, foreign, errors };
}
