export { BLENDSHAPES } from "./blendshapes.js";
export { type Controls, type ControlsChange, DEFAULT_CONTROLS, EMOTIONS, type Emotion, RANGES } from "./controls.js";
export { type ErrorCode, ParlanteError } from "./errors.js";
export type { Events, Frame, State, Stats, Viseme } from "./events.js";
export type { Latency } from "./latency.js";
export type { Background, CreateOptions, SaveOptions, Sound, SpeakOptions } from "./options.js";
export { Parlante } from "./parlante.js";
export type { SampleStream, Samples } from "./pcm.js";
export type {
  Backend,
  Cost,
  EngineInfo,
  Face,
  NetworkCost,
  Notice,
  PortraitInfo,
  PortraitWarning,
  Profile,
  Reason,
  Took,
  VisemeName,
  VoiceInfo,
  Words,
} from "./protocol.js";
