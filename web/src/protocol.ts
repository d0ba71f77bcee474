// What page and worker say to each other. Everything is a request with one answer, or an event from the worker.

import type { SharedSound } from "./capture-worklet.js";
import type { Controls } from "./controls.js";
import type { PlainError } from "./errors.js";

/** Which executor makes the frames. */
export type Backend = "webgpu" | "cpu";

/**
 * Why it is this executor: the caller asked for it, there is no other, it was measured to be the faster one, or the
 * graphics card was lost or became slow.
 */
export type Reason = "asked" | "only" | "measured" | "lost" | "slow";

/** What makes the frames, and what it needs. */
export interface EngineInfo {
  readonly backend: Backend;
  readonly reason: Reason;
  /** Milliseconds of a frame on processor and graphics card, where both were tried. */
  readonly measured: { readonly cpu: number; readonly webgpu: number } | undefined;
  /** Workers that paint. */
  readonly threads: number;
  /** Pixels along a side that the live picture is made at. */
  readonly size: number;
  /** Bytes of the module as it is compiled; 0 where the browser does not tell. */
  readonly module: number;
  /** Bytes of the modules' memory, all workers together. */
  readonly memory: number;
  /** Milliseconds that it took to fetch and compile the module, and to read the pack. */
  readonly opened: { readonly module: number; readonly pack: number };
}

/** What a piece of work costs. */
export interface Cost {
  readonly name: string;
  /** Its time, the median, milliseconds. */
  readonly ms_p50: number;
  /** Operations on numbers, 10^9. */
  readonly gflop: number;
  /** Memory that it moves at least, 10^6 bytes. */
  readonly mbytes: number;
  /** The least time for so much under the roof, over the time that it took. */
  readonly of_roofline: number;
}

/** What a network costs, operation by operation: each has the shape of its result in its name. */
export interface NetworkCost {
  readonly network: string;
  /** A whole run, milliseconds. */
  readonly ms: number;
  readonly operations: readonly Cost[];
}

/** Where the time goes, on the processor and by one worker. */
export interface Profile {
  /** What a core can do at most here, as it was probed: 10^9 operations and bytes a second, these from its caches. */
  readonly roof: { readonly gflop_per_second: number; readonly gb_per_second: number };
  /** Parts of a frame. */
  readonly parts: readonly Cost[];
  readonly networks: readonly NetworkCost[];
}

/** What a frame took, milliseconds. */
export interface Took {
  /** The motion that was made since the frame before it, for this frame and later ones. */
  readonly motion: number;
  /** To work out where everything goes. */
  readonly plan: number;
  /** To paint. */
  readonly paint: number;
  /** To wait for the second worker or the graphics card. */
  readonly wait: number;
  /** To hand the picture to the canvas. */
  readonly show: number;
}

/** Why a portrait may look worse than it could. */
export interface PortraitWarning {
  /** What it is about: it stays the same, so it can be translated. */
  readonly code: "small" | "turned" | "border" | "overlap" | "eyes-shut" | "mouth-covered" | "dark" | "bright";
  /** One sentence for people: what it is, and what to do. */
  readonly message: string;
}

/** What is known of a portrait once it is loaded. */
export interface PortraitInfo {
  /** Width and height of the picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** How many faces were found in it. */
  readonly faces: number;
  /** Spectacles were found. */
  readonly glasses: boolean;
  /** How far the head is turned, degrees, positive to the picture's right. */
  readonly yaw: number;
  /** What a person should know about this photo; empty for a good one. */
  readonly warnings: readonly PortraitWarning[];
}

/** What is known of a recording once it is loaded. */
export interface VoiceInfo {
  /** Seconds; an estimate where the file does not say. */
  readonly duration: number;
  /** 1 or 2: more are mixed down. */
  readonly channels: number;
}

/** A face in a picture. */
export interface Face {
  /** `x, y` of MediaPipe's 478 points one after another, pixels of the picture. */
  readonly points: Float32Array;
  /** Probability that this is a face, 0..1. */
  readonly presence: number;
}

/** Sound for the ear. */
export interface SoundChunk {
  /** One array a channel. */
  readonly planes: Float32Array[];
}

/** A whole decoded recording, where only the browser's own decoder can read it. */
export interface DecodedVoice {
  /** At 48 kHz, one array a channel, one or two of them. */
  readonly planes: Float32Array[];
  /** At 16 kHz, mono. */
  readonly mono: Float32Array;
}

/**
 * Shapes of a mouth, by the names that VR headsets use: silence, lips shut (P B M), lip at the teeth (F V), tongue up
 * (D T N L), open, rounded and open, rounded and narrow, spread.
 */
export type VisemeName = "sil" | "PP" | "FF" | "DD" | "aa" | "O" | "U" | "I";

/** What is known of the words of a voice: at most one of the two. */
export interface Words {
  /** Timed phones or visemes: JSON, Azure visemes, Polly speech marks, Rhubarb, CTM or a Praat TextGrid. */
  readonly phones?: Blob | string;
  /** What is said, in English. The whole voice is listened to once, to find where each sound is. */
  readonly transcript?: string;
}

/** How a video is written. */
export interface SaveRequest {
  readonly format: "mp4" | "webm";
  readonly controls: Controls;
  /** Bits a second of the picture. */
  readonly bitrate: number;
  /** Words written into the corner of every frame, or an empty string. */
  readonly label: string;
}

/** What is shown behind the person, as the worker takes it: a word, a colour, or a picture. */
export type Behind = "keep" | "blur" | "transparent" | `#${string}` | Blob | ImageBitmap;

/** Requests: name, parameters, answer. */
export interface Requests {
  open: {
    ask: {
      /** Name of the lock that tells the page that the worker lives. */
      life: string;
      module: string;
      pack: Uint8Array<ArrayBuffer>;
      canvas: OffscreenCanvas;
      backend: Backend | "auto";
      size: number;
    };
    answer: { backend: Backend };
  };
  portrait: {
    ask: { image: Blob | ImageBitmap; face: number | undefined; glasses: boolean | undefined };
    answer: PortraitInfo;
  };
  inspect: { ask: undefined; answer: EngineInfo };
  profile: { ask: undefined; answer: Profile };
  faces: { ask: { image: ImageBitmap }; answer: Face[] };
  voice: { ask: { voice: Blob | DecodedVoice; words: Words }; answer: VoiceInfo };
  background: { ask: { behind: Behind }; answer: undefined };
  controls: { ask: { controls: Controls }; answer: undefined };
  /** Gets the first motion of the voice at `from` seconds ready. */
  cue: { ask: { from: number }; answer: undefined };
  /** `media` seconds of the voice are heard at `epoch` (milliseconds since 1970); the clock runs from there. */
  clock: { ask: { media: number; epoch: number }; answer: undefined };
  /** The picture stands still at `media` seconds. */
  freeze: { ask: { media: number }; answer: undefined };
  /** No voice: the face is alive by itself. `over`: all was said, so that nothing needs to be cut short. */
  idle: { ask: { over: boolean }; answer: undefined };
  /** Sound is pushed from now on, at `rate` hertz: second `media` of its time line is heard at `epoch`. */
  attend: { ask: { rate: number; media: number; epoch: number }; answer: undefined };
  /** Sound whose first sample is heard at second `at` of the time line. */
  say: { ask: { samples: Float32Array; at: number }; answer: undefined };
  /** Whether the worker tells of every frame, and of every new viseme. */
  watch: { ask: { frames: boolean; visemes: boolean }; answer: undefined };
  /** The face speaks with sound that comes live, through a port or in shared memory, at a rate in hertz. */
  listen: { ask: { from: MessagePort | SharedSound; rate: number }; answer: undefined };
  /** The next second of sound, or the one at `from`; `undefined` after the end. */
  sound: { ask: { from: number | undefined }; answer: SoundChunk | undefined };
  visible: { ask: { visible: boolean }; answer: undefined };
  save: { ask: SaveRequest; answer: Blob };
  cancel: { ask: undefined; answer: undefined };
}

/** Something unusual that goes on working. */
export interface Notice {
  /**
   * What it is about: it stays the same, so it can be translated. The picture is made smaller, the graphics card was lost
   * or has become slow, the worker stopped and another one goes on, the portrait keeps its own background, the live sound ended, is kept back by the system or given again, the loudspeaker
   * was taken away while a recording was played (it is paused now) or while sound was pushed (it goes on by itself), or
   * some phones do not fit the voice.
   */
  readonly code:
    | "slow"
    | "card-lost"
    | "card-slow"
    | "worker-stopped"
    | "background-kept"
    | "microphone-gone"
    | "microphone-off"
    | "microphone-on"
    | "sound-gone"
    | "sound-waits"
    | "words";
  /** One sentence for people. */
  readonly message: string;
}

/** How far the face is behind live sound in the worker, milliseconds. */
export interface LiveDelay {
  /** From the sound's arrival to the moment whose motion is shown. */
  readonly delay: number;
  /** The lips of a moment hear so much beyond it. */
  readonly lookAhead: number;
  /** One step of the motion: a moment lies between two frames of it, and both must be known. */
  readonly step: number;
  /** Sound that never came, or came while nobody could look: the face lived on in silence. Since listening began. */
  readonly lost: number;
}

/** Events of the worker: name and what they carry. */
export interface WorkerEvents {
  stats: {
    fps: number;
    frameMs: number;
    dropped: number;
    live: LiveDelay | undefined;
    backend: Backend;
    size: number;
    /** Workers that paint. */
    threads: number;
  };
  progress: { done: number; left: number | undefined };
  notice: Notice;
  /** A painted frame: the second of the sound's time line, the values of its motion, when it was, and what it took. */
  frame: { time: number | undefined; motion: Float32Array; at: number; took: Took };
  viseme: { time: number | undefined; name: VisemeName; weight: number };
  failure: PlainError;
}

/** What is done for each of the worker's events. */
export type EventHandlers = { readonly [K in keyof WorkerEvents]: (data: WorkerEvents[K]) => void };

export type RequestName = keyof Requests;

/** A message to the worker. */
export type ToWorker = {
  [K in RequestName]: { readonly id: number; readonly name: K; readonly ask: Requests[K]["ask"] };
}[RequestName];

/** A message from the worker. */
export type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { [K in keyof WorkerEvents]: { readonly event: K; readonly data: WorkerEvents[K] } }[keyof WorkerEvents];
