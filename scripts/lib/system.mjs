// Programs that come with the system: found, installed where that is allowed, or asked for in one sentence.

import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ask, Explained, run, say, step } from "./run.mjs";

/** Where a program lies, or `undefined`. */
export function which(program) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder: look in the next.
    }
  }
  return undefined;
}

/** Names of the shared libraries that Debian installs for this machine's kind of processor. */
function libraries() {
  const folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].filter((path) => existsSync(path));
  return folders.flatMap((path) => readdirSync(path));
}

/**
 * Debian packages the project may need.
 * @type {Record<string, { present: () => boolean, why: string }>}
 */
const PACKAGES = {
  chromium: { present: () => which("chromium") !== undefined, why: "the tests drive a real browser" },
  "firefox-esr": {
    present: () => which("firefox-esr") !== undefined || which("firefox") !== undefined,
    why: "the face lives and videos play in a second browser",
  },
  pulseaudio: {
    present: () => which("pulseaudio") !== undefined,
    why: "Firefox speaks to a loudspeaker of its that nobody hears",
  },
  // Under this name in every Debian; Firefox is content with any libavcodec.
  "libavcodec-extra": {
    present: () => libraries().some((name) => name.startsWith("libavcodec.so.")),
    why: "Firefox decodes H.264 with it",
  },
  "mesa-vulkan-drivers": {
    present: () => ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].some(existsSync),
    why: "the tests run the GPU code on a software Vulkan driver",
  },
  libvulkan1: {
    present: () => libraries().includes("libvulkan.so.1"),
    why: "the tests run the GPU code on a software Vulkan driver",
  },
};

/** Installs the missing ones of `names`; where that is not allowed, says which command does it. */
export async function needPackages(names) {
  const missing = names.filter((name) => !PACKAGES[name].present());
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  const mayInstall = process.platform === "linux" && process.getuid?.() === 0 && which("apt-get") !== undefined;
  if (!mayInstall) {
    throw new Explained(`Missing: ${missing.join(", ")} (${PACKAGES[missing[0]].why}). Please run: sudo ${command}`);
  }
  await step(`Installing ${missing.join(", ")} from Debian`, "usually one minute", async () => {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], { env, allowFailure: true });
    await run("apt-get", command.split(" ").slice(1).concat("-qq"), { env });
  });
}

/** Checks Node, Rust, the C compiler and Python; installs Rust's wasm target when it is the only thing missing. */
export async function needTools() {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new Explained(`Node 20 or newer is needed; this is ${process.versions.node}. See https://nodejs.org.`);
  }
  if (which("cargo") === undefined) {
    throw new Explained("Rust is needed to build. Please install it with rustup: https://rustup.rs");
  }
  if (which("cc") === undefined || which("c++") === undefined) {
    throw new Explained(
      "A C and a C++ compiler are needed to build. On Debian please run: sudo apt-get install -y g++",
    );
  }
  if (which("python3") === undefined) {
    throw new Explained("Python 3 with pip fetches the face networks. On Debian: sudo apt-get install -y python3-pip");
  }
  if (which("rustup") !== undefined) {
    const targets = ask("rustup", ["target", "list", "--installed"]);
    if (targets === undefined || !targets.includes("wasm32-unknown-unknown")) {
      await step("Installing the Rust toolchain of rust-toolchain.toml", "usually one minute", () =>
        run("rustup", ["target", "add", "wasm32-unknown-unknown"]),
      );
    }
  } else if (!existsSync(join(ask("rustc", ["--print", "sysroot"]) ?? "", "lib/rustlib/wasm32-unknown-unknown"))) {
    say("! Rust's wasm32-unknown-unknown target seems to be missing; without rustup it must come from your system.");
  }
}
