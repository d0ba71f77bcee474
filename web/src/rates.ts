/** Samples a second of the speech that motion is made from. */
export const SPEECH_RATE = 16_000;

/** Frames of motion a second. */
export const MOTION_FPS = 25;
