/** Samples a second of the speech that motion is made from. */
export const SPEECH_RATE = 16_000;

/** Samples a second of the sound for the ear: what every encoder and loudspeaker takes. */
export const SOUND_RATE = 48_000;

/** Frames of motion a second. */
export const MOTION_FPS = 25;

/** Sound that must be there beyond the moment of a frame of motion, seconds: its own step, and one that the lips hear ahead. */
export const LOOK_AHEAD = 2 / MOTION_FPS;
