import { type Controls, type ControlsChange, DEFAULT_CONTROLS, EMOTIONS, type Parlante, RANGES } from "parlante";
import { el, fillTrack, make } from "./elements.js";
import { type Key, onLanguage, show } from "./language.js";
import { chosenLanguage } from "./languages.js";
import { AROUND, moodsAt, placeOf, placeOnRim } from "./moods.js";
import { fromAddress, showInAddress } from "./settings.js";
import { gazeIs, moodIs, percent, rate, turn } from "./text.js";

/** Sliders with a value of their own; moods and gaze have their own shape. */
const SLIDERS = ["distance", "liveliness", "articulation"] as const;
/** Those that few people need. */
const MORE = ["headMotion", "listening", "blinkRate"] as const;
/** Turns of the head. */
const TURNS = ["yaw", "pitch", "roll"] as const;
/** How far one press of an arrow key turns the gaze, degrees. */
const GAZE_STEP = 3;
const GAZE_MOST = RANGES.gaze[1];
/** The part of a pad's side that its knob moves over; the style sheet has the half of it. */
const REACH = 0.84;

/** The controls of the face: what is shown always is what the face has. */
export class Panel {
  readonly #refreshers: ((controls: Controls) => void)[] = [];
  #controls: Controls = DEFAULT_CONTROLS;
  #parlante: Parlante | undefined;
  #passing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    for (const mood of EMOTIONS) {
      const change = (weight: number) => this.change({ emotion: { [mood]: weight } });
      el("moods").append(this.#slider(`mood.${mood}`, RANGES.emotion, change, (c) => c.emotion[mood], 0));
    }
    for (const name of SLIDERS) {
      const change = (value: number) => this.change({ [name]: value });
      el("sliders").append(this.#slider(name, RANGES[name], change, (c) => c[name], DEFAULT_CONTROLS[name]));
    }
    for (const name of MORE) {
      const change = (value: number) => this.change({ [name]: value });
      const say = name === "blinkRate" ? rate : percent;
      const slider = this.#slider(name, RANGES[name], change, (c) => c[name], DEFAULT_CONTROLS[name], say);
      el("more").append(slider);
    }
    for (const name of TURNS) {
      const change = (degrees: number) => this.change({ pose: { [name]: degrees } });
      el("more").append(this.#slider(name, RANGES.pose, change, (c) => c.pose[name], 0, turn));
    }
    this.#moodPad(el("mood-pad"));
    this.#gazePad(el("gaze"), REACH);
    // The frame stays where a lost worker's canvas is replaced by another.
    this.#gazePad(el("frame"), 1);
    this.#refreshers.push((c) => showGaze(c));
    this.#refreshers.push((c) => el("seed").replaceChildren(String(c.seed)));
    el("take").onclick = () => this.anotherTake();
    el("reset").onclick = () => this.reset();
    el("frame").addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#refreshers.push((c) => this.#pass(c));
    this.change(fromAddress(location.hash));
    onLanguage(() => this.#refresh());
    addEventListener("hashchange", () => {
      const wanted = fromAddress(location.hash);
      this.change(DEFAULT_CONTROLS);
      this.change(wanted);
    });
  }

  /** From now on the face follows. */
  attach(parlante: Parlante): void {
    this.#parlante = parlante;
    parlante.controls = this.#controls;
  }

  get controls(): Controls {
    return this.#controls;
  }

  /** Changes some controls, of the face and on the page. */
  change(change: ControlsChange): void {
    if (this.#parlante === undefined) this.#controls = merged(this.#controls, change);
    else {
      this.#parlante.controls = change;
      this.#controls = this.#parlante.controls;
    }
    this.#refresh();
  }

  /** Moves the gaze by degrees. */
  turnGaze(x: number, y: number): void {
    const { gaze } = this.#controls;
    this.change({ gaze: { x: limited(gaze.x + x * GAZE_STEP), y: limited(gaze.y + y * GAZE_STEP) } });
  }

  /** Brings the face nearer (above 1) or farther. */
  approach(factor: number): void {
    const [low, high] = RANGES.distance;
    this.change({ distance: Math.min(high, Math.max(low, this.#controls.distance * factor)) });
  }

  /** Switches one mood fully on, or off again. */
  toggleMood(index: number): void {
    const mood = EMOTIONS[index];
    if (mood !== undefined) this.change({ emotion: { [mood]: this.#controls.emotion[mood] > 0 ? 0 : 1 } });
  }

  anotherTake(): void {
    this.change({ seed: this.#controls.seed + 1 });
  }

  reset(): void {
    this.change(DEFAULT_CONTROLS);
  }

  /** The address follows when the hand rests: browsers refuse to change it too often. */
  #pass(controls: Controls): void {
    clearTimeout(this.#passing);
    this.#passing = setTimeout(() => showInAddress(controls, chosenLanguage()), 300);
  }

  #refresh(): void {
    for (const refresh of this.#refreshers) refresh(this.#controls);
  }

  #slider(
    key: Key,
    [min, max]: readonly [number, number],
    change: (value: number) => void,
    read: (controls: Controls) => number,
    initial: number,
    say: (value: number) => string = percent,
  ): HTMLElement {
    const input = make("input", { type: "range", min: String(min), max: String(max), step: "0.01" });
    input.oninput = () => change(input.valueAsNumber);
    input.ondblclick = () => change(initial);
    this.#refreshers.push((controls) => {
      input.value = String(read(controls));
      input.setAttribute("aria-valuetext", say(read(controls)));
      input.title = say(read(controls));
      fillTrack(input);
    });
    const name = make("span");
    show(name, key);
    return make("label", { className: "slider" }, name, input);
  }

  /** Lets a pointer drag the mood over `pad`; the sliders say the same to a keyboard and to a screen reader. */
  #moodPad(pad: HTMLElement): void {
    for (const mood of AROUND) {
      const name = make("span", { className: "place" });
      const { x, y } = placeOnRim(mood);
      name.style.setProperty("--x", String(x));
      name.style.setProperty("--y", String(y));
      show(name, `mood.${mood}`);
      pad.append(name);
    }
    dragOver(pad, REACH, (x, y) => this.change({ emotion: moodsAt(x, y) }));
    pad.addEventListener("dblclick", () => this.change({ emotion: DEFAULT_CONTROLS.emotion }));
    this.#refreshers.push(({ emotion }) => {
      const { x, y } = placeOf(emotion);
      pad.style.setProperty("--x", String(x));
      pad.style.setProperty("--y", String(y));
      el("mood-value").textContent = moodIs(emotion);
    });
  }

  /** Lets a pointer drag the gaze over `pad`; `reach` is the part of its side that the whole range takes. */
  #gazePad(pad: HTMLElement, reach: number): void {
    const turn = (x: number, y: number) =>
      this.change({ gaze: { x: limited(x * GAZE_MOST), y: limited(y * GAZE_MOST) } });
    dragOver(pad, reach, turn, pad.id === "gaze");
    pad.addEventListener("dblclick", (event) => {
      if (!onButton(event)) this.change({ gaze: { x: 0, y: 0 } });
    });
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    this.approach(Math.exp(-event.deltaY / 2000));
  }
}

/**
 * Tells where a pointer is dragged over `pad`, -1..1 from its middle; `reach` is the part of its side that this takes.
 * `press`: a press alone counts, too.
 */
function dragOver(pad: HTMLElement, reach: number, then: (x: number, y: number) => void, press = true): void {
  const point = (event: PointerEvent) => {
    const box = pad.getBoundingClientRect();
    const along = (at: number, side: number) => (at / side - 0.5) / (reach / 2);
    then(along(event.clientX - box.left, box.width), along(event.clientY - box.top, box.height));
  };
  pad.addEventListener("pointerdown", (event) => {
    if (onButton(event)) return;
    pad.setPointerCapture(event.pointerId);
    if (press) point(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (pad.hasPointerCapture(event.pointerId)) point(event);
  });
}

/** Whether a button on the pad is meant. */
function onButton({ target }: Event): boolean {
  return target instanceof Element && target.closest("button") !== null;
}

function limited(degrees: number): number {
  return Math.round(Math.min(GAZE_MOST, Math.max(-GAZE_MOST, degrees)));
}

/** Before the engine is there the page remembers what was chosen. */
function merged(controls: Controls, change: ControlsChange): Controls {
  return {
    ...controls,
    ...change,
    emotion: { ...controls.emotion, ...change.emotion },
    gaze: { ...controls.gaze, ...change.gaze },
    pose: { ...controls.pose, ...change.pose },
  };
}

function showGaze({ gaze }: Controls): void {
  const pad = el("gaze");
  pad.style.setProperty("--x", String(gaze.x / GAZE_MOST));
  pad.style.setProperty("--y", String(gaze.y / GAZE_MOST));
  pad.setAttribute("aria-valuenow", String(gaze.x));
  pad.setAttribute("aria-valuetext", gazeIs(gaze.x, gaze.y));
  el("gaze-value").textContent = gazeIs(gaze.x, gaze.y);
}
