import type { Notice } from "./protocol.js";

/** What the page's side of the library has to say, by code. */
const SENTENCES = {
  "microphone-gone": "The microphone went away: please connect it again.",
  "microphone-off": "The microphone is switched off: please switch it on at the device.",
  "microphone-on": "The microphone is on again.",
  "sound-gone": "The sound device went away: please press play to go on.",
  "sound-waits": "The sound device went away: the face goes on as soon as it is back.",
  "worker-stopped": "The worker stopped: a new one goes on.",
} as const satisfies Partial<Record<Notice["code"], string>>;

/** A notice of the page's side. */
export function noticeOf(code: keyof typeof SENTENCES): Notice {
  return { code, message: SENTENCES[code] };
}
