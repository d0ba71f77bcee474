// The worker: owns the WebAssembly module, the canvas and the making of frames.

import type { Controls } from "./controls.js";
import { DEFAULT_CONTROLS } from "./controls.js";
import { ParlanteError } from "./errors.js";
import { holdLife } from "./life.js";
import type { FromWorker, RequestName, Requests, ToWorker, WorkerEvents } from "./protocol.js";
import { Studio } from "./worker/studio.js";

const scope = self as unknown as {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

function tell<K extends keyof WorkerEvents>(event: K, data: WorkerEvents[K]): void {
  scope.postMessage({ event, data } as FromWorker);
}

let studio: Studio | undefined;
let controls: Controls = DEFAULT_CONTROLS;

function opened(): Studio {
  if (studio === undefined) throw new ParlanteError("not-ready", "Parlante is not open yet.");
  return studio;
}

/** What is done for each request. */
const handlers: { [K in RequestName]: (ask: Requests[K]["ask"]) => Promise<Requests[K]["answer"]> } = {
  async open(ask) {
    await holdLife(ask.life);
    studio = await Studio.open(ask, tell);
    return { backend: studio.backend };
  },
  portrait: (ask) => opened().setPortrait(ask, controls),
  inspect: async () => opened().inspect(),
  profile: () => opened().profile(),
  faces: async (ask) => opened().findFaces(ask.image),
  voice: (ask) => opened().setVoice(ask.voice, ask.words),
  async background(ask) {
    await opened().setBackground(ask.behind);
    return undefined;
  },
  async controls(ask) {
    controls = ask.controls;
    studio?.setControls(controls);
    return undefined;
  },
  async cue(ask) {
    opened().cue(ask.from);
    return undefined;
  },
  async clock(ask) {
    opened().live?.clock(ask.media, ask.epoch);
    return undefined;
  },
  async freeze() {
    opened().live?.freeze();
    return undefined;
  },
  async idle(ask) {
    opened().idle(ask.over);
    return undefined;
  },
  async listen(ask) {
    opened().listen(ask.from, ask.rate);
    return undefined;
  },
  async attend(ask) {
    opened().attend(ask);
    return undefined;
  },
  async say(ask) {
    opened().say(ask.samples, ask.at);
    return undefined;
  },
  async watch(ask) {
    opened().watch(ask);
    return undefined;
  },
  sound: async (ask) => opened().nextSound(ask.from),
  async visible(ask) {
    studio?.setVisible(ask.visible);
    return undefined;
  },
  save: (ask) => opened().save(ask),
  async cancel() {
    studio?.cancel();
    return undefined;
  },
};

/** Arrays that move to the page instead of being copied. */
function transferable(answer: unknown): Transferable[] {
  if (typeof answer !== "object" || answer === null || !("planes" in answer)) return [];
  return (answer.planes as Float32Array[]).map((plane) => plane.buffer as ArrayBuffer);
}

scope.onmessage = async ({ data }) => {
  try {
    const handle = handlers[data.name] as (ask: ToWorker["ask"]) => Promise<unknown>;
    const answer = await handle(data.ask);
    scope.postMessage({ id: data.id, answer }, transferable(answer));
  } catch (thrown) {
    const { code, message } = ParlanteError.from(thrown);
    scope.postMessage({ id: data.id, error: { code, message } });
  }
};
