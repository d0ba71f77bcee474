// Every word of the page stands here. Fixed ones are put into the HTML when the page is built.

import type { Emotion, PortraitInfo } from "parlante";

/** Fixed words, by the name they have in index.html. */
export const FIXED = {
  title: "Parlante",
  description: "One photo and a voice become a person who speaks. Everything happens on this machine.",
  tagline: "One photo, one voice: a face that speaks. Nothing leaves this machine.",
  noScript: "This page needs JavaScript: it makes the pictures itself, on this machine.",
  starting: "Starting",
  helpButton: "Help and details",
  stage: "The face",
  synthetic: "synthetic",
  dropHere: "Drop a photo, a recording, or its words",
  speak: "Speak",
  position: "Position",
  mute: "Mute",
  volume: "Volume",
  sources: "Who speaks, and what",
  portrait: "Portrait",
  portraitSample: "sample: Eileen Collins, NASA",
  choosePortrait: "Photo",
  camera: "Camera",
  cameraTitle: "Look at the camera, mouth closed",
  cameraView: "What the camera sees",
  cameraTake: "Take the photo",
  cameraClose: "Close",
  fullScreen: "Full screen",
  glasses: "Glasses",
  glassesAuto: "Glasses: as found",
  glassesOn: "Glasses: yes",
  glassesOff: "Glasses: no",
  glassesHelp: "Say yes if thin frames bend in a blink, no if the eyes stand still though there are none.",
  behind: "Background",
  behindKeep: "The photo’s own",
  behindBlur: "Out of focus",
  behindColour: "A colour",
  behindPicture: "A picture",
  behindTransparent: "Transparent",
  behindWhich: "Colour behind the person",
  chooseBehind: "Picture",
  voice: "Voice",
  voiceSample: "sample sentence",
  chooseVoice: "Recording",
  words: "Known words",
  wordsHint: "The lips follow words more exactly than sound alone.",
  transcript: "What is said, in English",
  follow: "Follow this text",
  choosePhones: "Timed phones",
  forgetWords: "Follow the sound",
  followsSound: "The lips follow the sound",
  live: "Live",
  liveHint: "your own voice",
  microphone: "Microphone",
  level: "Loudness of the microphone",
  recorded: "your recording",
  backToSamples: "Back to the samples",
  direct: "How",
  mood: "Mood",
  gaze: "Gaze",
  gazeHint: "Drag, or arrow keys",
  distance: "Nearness",
  liveliness: "Liveliness",
  articulation: "Mouth",
  more: "More",
  headMotion: "Head",
  listening: "Listening",
  blinkRate: "Blinks",
  yaw: "Turn",
  pitch: "Nod",
  roll: "Tilt",
  take: "Take",
  takeHint: "moves differently each time",
  anotherTake: "Another take",
  reset: "Reset all",
  keep: "Keep",
  format: "Format",
  mp4: "MP4 (H.264, AAC)",
  webm: "WebM (VP9, Opus)",
  withLabel: "Write “synthetic” into the picture",
  save: "Save video",
  cancel: "Cancel",
  saving: "Saving",
  consentTitle: "A photo of a person",
  consentWhy: "A face that speaks can deceive. Please animate only yourself, people who agreed, or works of art.",
  consentHow: "The photo stays on this machine. Your answer is remembered here and nowhere else.",
  consentYes: "I may animate this face",
  consentNo: "Choose another",
  helpTitle: "Keys and details",
  helpClose: "Close",
} as const;

/** Keys and what they do, for the help. */
export const KEYS: readonly (readonly [string, string])[] = [
  ["Space", "speak or pause"],
  ["← ↑ → ↓", "turn the gaze"],
  ["+  −", "nearer, farther"],
  ["1 … 7", "a mood on or off"],
  ["0", "reset all"],
  ["T", "another take"],
  ["L", "live with the microphone, and back"],
  ["M", "mute"],
  ["S", "save the video"],
  ["F", "full screen, and back"],
  ["?", "this help"],
];

export const MOODS: Record<Emotion, string> = {
  happy: "Happy",
  sad: "Sad",
  angry: "Angry",
  surprised: "Surprised",
  afraid: "Afraid",
  disgusted: "Disgusted",
  tender: "Tender",
};

/** Words of the primary button. */
export const SPEAK = {
  idle: "Speak",
  waiting: "Wait",
  playing: "Pause",
  paused: "Go on",
  live: "Stop",
  again: "Speak again",
};

const number = new Intl.NumberFormat("en");
const mega = (bytes: number) => (bytes / 1e6).toFixed(1);

/** Minutes and seconds. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Sentences that say what is going on. */
export const SAY = {
  loading: (loaded: number, total: number | undefined) =>
    total === undefined
      ? `Loading the model, ${mega(loaded)} MB`
      : `Loading the model, ${mega(loaded)} of ${mega(total)} MB`,
  opening: "Preparing the model",
  looking: (name: string) => `Looking at ${name}`,
  behind: "Background changed",
  glasses: "Glasses corrected",
  listening: (name: string) => `Listening to ${name}`,
  ready: "Ready",
  readyOn: (backend: string, size: number) =>
    `Runs on ${backend === "webgpu" ? "the graphics card (WebGPU)" : "the processor"}, ${size} px`,
  waiting: "Speaks as soon as the face is ready",
  speaking: "Speaking",
  paused: "Paused",
  spoken: "Done",
  asking: "Please allow the microphone",
  live: "Live: the face speaks with you",
  keeping: "Keeping what you said",
  kept: (seconds: number) => `Kept what you said, ${clock(seconds)}: speak it again, or save it`,
  microphone: {
    NotAllowedError: "The microphone was not allowed. Please allow it beside the address, or choose a recording.",
    NotFoundError: "No microphone was found. Please connect one, or choose a recording.",
    NotReadableError: "Another program holds the microphone. Please end it there, or choose a recording.",
  } as Record<string, string>,
  camera: {
    NotAllowedError: "The camera was not allowed. Please allow it beside the address, or choose a photo.",
    NotFoundError: "No camera was found. Please connect one, or choose a photo.",
    NotReadableError: "Another program holds the camera. Please end it there, or choose a photo.",
  } as Record<string, string>,
  noCamera: "This browser gives no camera here. Please use https or localhost, or choose a photo.",
  photoName: "your photo.jpg",
  noMicrophone: "This browser gives no microphone here. Please use https or localhost, or choose a recording.",
  portrait: (name: string, { width, height, faces, glasses, warnings }: PortraitInfo) => {
    const parts = [`Portrait: ${name}, ${number.format(width)} × ${number.format(height)}`];
    parts.push(faces === 1 ? "one face" : `${faces} faces, the largest is used`);
    if (glasses) parts.push("glasses found");
    return [parts.join(", "), ...warnings.map(({ message }) => message)].join(". ");
  },
  fitting: "Laying the words under the voice",
  followsText: "The lips follow the text",
  followsPhones: (name: string) => `The lips follow the times in ${name}`,
  followsSound: "The lips follow the sound",
  voice: (name: string, seconds: number) => `Voice: ${name}, ${clock(seconds)}`,
  progress: (done: number, left: number | undefined) =>
    `${Math.floor(done * 100)} %${left === undefined ? "" : `, ${clock(left)} left`}`,
  saved: (name: string, bytes: number) => `Saved ${name}, ${mega(bytes)} MB`,
  notSaved: "The video was not saved",
  unknownFile: (name: string) =>
    `“${name}” is no picture, recording or file of words. Please drop a photo, a sound file, or the words of one.`,
  stats: (fps: number, frameMs: number, delay: number | undefined) => {
    const parts = [`${fps.toFixed(0)} frames a second`, `${frameMs.toFixed(0)} ms for each`];
    if (delay !== undefined) parts.push(`${delay.toFixed(0)} ms behind the microphone`);
    return parts.join(", ");
  },
  degrees: (x: number, y: number) => {
    const side = x === 0 ? "" : `${Math.abs(x)}° ${x > 0 ? "right" : "left"}`;
    const height = y === 0 ? "" : `${Math.abs(y)}° ${y > 0 ? "down" : "up"}`;
    return [side, height].filter((part) => part !== "").join(", ") || "straight";
  },
  rate: (value: number) => `${Math.round(value)} a minute`,
  turn: (degrees: number) => `${Math.round(degrees)}°`,
  percent: (value: number) => `${Math.round(value * 100)} %`,
  faceIdle: "The face, waiting: it breathes and blinks",
  faceSpeaking: "The face, speaking",
  faceLive: "The face, speaking with you",
  facePaused: "The face, held still",
  faceEmpty: "The portrait, not alive yet",
};
