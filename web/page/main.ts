import { Parlante } from "parlante";
import { Behind } from "./behind.js";
import { offerCamera } from "./camera.js";
import { el } from "./elements.js";
import { showFacts } from "./facts.js";
import { offerFullScreen } from "./full-screen.js";
import { listenToKeys } from "./keys.js";
import { show } from "./language.js";
import { offerLanguages, startLanguage } from "./languages.js";
import { Microphone } from "./microphone.js";
import { keepForOffline } from "./offline.js";
import { Panel } from "./panel.js";
import { Save } from "./save.js";
import { backendIn } from "./settings.js";
import { Sources } from "./sources.js";
import { notify, sayError } from "./status.js";
import { loading, runsOn } from "./text.js";
import { Transport } from "./transport.js";

const engine = el("engine");

await startLanguage();
const transport = new Transport();
const panel = new Panel();
const behind = new Behind();
const save = new Save();
const sources = new Sources(() => transport.renewed());
const microphone = new Microphone((recording) => sources.keep(recording));
offerCamera((photo) => void sources.take(photo));
offerFullScreen();
offerLanguages(panel);
listenToKeys(transport, panel, save, microphone);

try {
  const parlante = await Parlante.create({
    canvas: el<HTMLCanvasElement>("face"),
    backend: backendIn(location.search),
    onProgress: ({ loaded, total }) => {
      show(engine, loaded === total ? "opening" : () => loading(loaded, total));
    },
  });
  parlante.on("notice", notify);
  parlante.on("error", sayError);
  parlante.on("stats", ({ backend, size }) => show(engine, () => runsOn(backend, size)));
  showFacts(parlante);
  panel.attach(parlante);
  await sources.attach(parlante);
  behind.attach(parlante);
  save.attach(parlante);
  microphone.attach(parlante);
  transport.attach(parlante);
  void keepForOffline();
} catch (error) {
  show(engine, () => "");
  sayError(error);
}
