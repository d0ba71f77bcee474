/** Samples a second of the speech that motion is made from. */
export const SPEECH_RATE = 16_000;

/** Samples a second of the sound for the ear: what every encoder and loudspeaker takes. */
export const SOUND_RATE = 48_000;

/** Frames of motion a second. */
export const MOTION_FPS = 25;
