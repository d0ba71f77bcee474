import { type ChildProcess, spawn } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { ISOLATED } from "./serve.js";

const PATHS = ["/usr/bin/firefox-esr", "/usr/bin/firefox"];
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
};
/** Longest time for one run, milliseconds: a browser that starts on a busy machine. */
const PATIENCE = 180_000;

/** Nothing of a first start, nothing that goes out on the network, and play without a click. */
const SETTINGS = {
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "media.autoplay.blocking_policy": 0,
  "media.autoplay.block-webaudio": false,
  "media.autoplay.default": 0,
  "media.gmp-manager.updateEnabled": false,
  // A microphone that is allowed without a question and hears a tone.
  "media.navigator.permission.disabled": true,
  "media.navigator.streams.fake": true,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

/** What Firefox made of a video. */
export interface Played {
  /** Its own words, where it refused. */
  readonly error?: string;
  readonly width: number;
  readonly height: number;
  /** Seconds. */
  readonly duration: number;
  /** Seconds that it played on by itself. */
  readonly played: number;
  /** Darkest and brightest value of the picture in its middle, 0..255. */
  readonly range: readonly [number, number];
  /** Mean difference between the first picture and one in the middle, 0..255. */
  readonly change: number;
  /** Length of the sound as it was decoded, seconds, and its loudest sample. */
  readonly sound: { readonly duration: number; readonly peak: number };
}

/** Runs in Firefox: plays each video and posts what it saw. */
const SCRIPT = `
const wait = (target, event) => new Promise((resolve, reject) => {
  target.addEventListener(event, resolve, { once: true });
  target.addEventListener("error", () => reject(new Error(target.error?.message ?? "error")), { once: true });
  setTimeout(() => reject(new Error("no " + event)), 40000);
});
const look = (video) => {
  const context = Object.assign(document.createElement("canvas"), { width: 64, height: 64 }).getContext("2d");
  context.drawImage(video, 0, 0, 64, 64);
  return context.getImageData(0, 0, 64, 64).data.filter((_, i) => i % 4 < 3);
};
const play = async (address) => {
  const video = Object.assign(document.createElement("video"), { src: address, muted: true });
  document.body.append(video);
  try {
    await wait(video, "loadeddata");
    const first = look(video);
    await video.play();
    await wait(video, "ended");
    const played = video.currentTime;
    video.currentTime = video.duration / 2;
    await wait(video, "seeked");
    const middle = look(video);
    const change = middle.reduce((sum, x, i) => sum + Math.abs(x - first[i]), 0) / middle.length;
    const bytes = await (await fetch(address)).arrayBuffer();
    const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(bytes);
    const peak = sound.getChannelData(0).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const { videoWidth: width, videoHeight: height, duration } = video;
    const range = [Math.min(...middle), Math.max(...middle)];
    return { width, height, duration, played, range, change, sound: { duration: sound.duration, peak } };
  } catch (error) {
    return { error: String(error), width: 0, height: 0, duration: 0, played: 0, range: [0, 0], change: 0,
      sound: { duration: 0, peak: 0 } };
  } finally {
    video.remove();
  }
};
addEventListener("load", async () => {
  const reports = [];
  for (let i = 0; i < COUNT; i++) reports.push(await play("/" + i));
  await fetch("/report", { method: "POST", body: JSON.stringify(reports) });
});`;

/** What answers a request at an address; without an answer it is not found. */
type Answer = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

/** Plays videos in a real Firefox. */
export function playInFirefox(files: readonly string[]): Promise<Played[]> {
  return reportOfFirefox((path, request, response) => {
    const file = files[Number(path.slice(1) || Number.NaN)];
    if (path === "/") {
      response.writeHead(200, { "Content-Type": TYPES[".html"] });
      response.end(`<!doctype html><body><script>const COUNT = ${files.length};${SCRIPT}</script>`);
    } else if (file !== undefined) send(request, response, file);
    return path === "/" || file !== undefined;
  });
}

/**
 * Opens a folder's page in a real Firefox whose microphone hears a tone, and adds a script, which posts to `/report`.
 * `more` are files by their addresses.
 */
export function runInFirefox<T>(folder: string, script: string, more: Readonly<Record<string, string>>): Promise<T> {
  return reportOfFirefox((path, request, response) => {
    const file = more[path] ?? join(folder, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return false;
    if (path !== "/") send(request, response, file);
    else {
      response.writeHead(200, { "Content-Type": TYPES[".html"], ...ISOLATED });
      response.end(`${readFileSync(file, "utf8")}<script type="module">${script}</script>`);
    }
    return true;
  });
}

/**
 * What a page reports that a real Firefox opens without a window. Nobody drives it: the page posts to a server that lives
 * as long as this call. A missing Firefox is a failure, never a reason to skip.
 */
async function reportOfFirefox<T>(answer: Answer): Promise<T> {
  const program = PATHS.find(existsSync);
  if (program === undefined) throw new Error("Firefox is missing. Please run: apt-get install -y firefox-esr");
  const profile = mkdtempSync(join(tmpdir(), "parlante-firefox-"));
  const lines = Object.entries(SETTINGS).map(([key, value]) => `user_pref("${key}", ${JSON.stringify(value)});`);
  writeFileSync(join(profile, "user.js"), lines.join("\n"));
  const socket = join(profile, "sound");
  const speaker = loudspeaker(profile, socket);
  let firefox: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  const server = createServer();
  try {
    return await new Promise<T>((resolve, reject) => {
      server.on("request", (request, response) => {
        const path = request.url ?? "/";
        if (path === "/report") receive(request, response, resolve);
        else if (!answer(path, request, response)) response.writeHead(404).end();
      });
      server.listen(0, "127.0.0.1", () => {
        const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
        const args = ["--headless", "--no-remote", "--profile", profile, address];
        const env = { ...process.env, HOME: profile, PULSE_SERVER: `unix:${socket}` };
        firefox = spawn(program, args, { stdio: "ignore", env });
        firefox.on("error", reject);
        firefox.on("exit", (code) => reject(new Error(`Firefox went away (exit code ${code}).`)));
      });
      timer = setTimeout(() => reject(new Error("Firefox did not report in time.")), PATIENCE);
    });
  } finally {
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
    await end(firefox);
    await end(speaker);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A loudspeaker that nobody hears: without one, Firefox's clock of sound stands still. */
function loudspeaker(home: string, socket: string): ChildProcess {
  const modules = [`module-native-protocol-unix auth-anonymous=1 socket=${socket}`, "module-null-sink"];
  const args = [
    "-n",
    "--daemonize=no",
    "--exit-idle-time=-1",
    "--disable-shm=true",
    ...modules.flatMap((m) => ["-L", m]),
  ];
  const env = { ...process.env, HOME: home, PULSE_RUNTIME_PATH: home };
  const speaker = spawn("pulseaudio", args, { stdio: "ignore", env });
  // Where it is missing, what needs sound fails and says so.
  speaker.on("error", () => {});
  return speaker;
}

function receive<T>(request: IncomingMessage, response: ServerResponse, done: (report: T) => void): void {
  let text = "";
  request.on("data", (chunk) => {
    text += chunk;
  });
  request.on("end", () => {
    response.end();
    done(JSON.parse(text) as T);
  });
}

/** Sends a file, or the part of it that was asked for: players seek. */
function send(request: IncomingMessage, response: ServerResponse, file: string): void {
  const size = statSync(file).size;
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const start = Number(asked?.[1] ?? 0);
  const last = Math.min(size - 1, Number(asked?.[2] || size - 1));
  response.writeHead(asked ? 206 : 200, {
    "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
    "Accept-Ranges": "bytes",
    ...ISOLATED,
    "Content-Length": last - start + 1,
    ...(asked && { "Content-Range": `bytes ${start}-${last}/${size}` }),
  });
  createReadStream(file, { start, end: last }).pipe(response);
}

/** Ends the browser and waits until it is gone, so that its profile can be removed. */
async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await gone;
  clearTimeout(timer);
}
