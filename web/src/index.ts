export { type Controls, type ControlsChange, DEFAULT_CONTROLS, EMOTIONS, type Emotion, RANGES } from "./controls.js";
export { type ErrorCode, ParlanteError } from "./errors.js";
export {
  type Background,
  type CreateOptions,
  type Events,
  Parlante,
  type SaveOptions,
  type State,
} from "./parlante.js";
export type { Backend, Face, PortraitInfo, PortraitWarning, VoiceInfo, Words } from "./protocol.js";
