import { afterEach, beforeEach, expect, it, vi } from "vitest";

const { CpuPainter } = await import("../src/worker/painters.js");
type Engine = ConstructorParameters<typeof CpuPainter>[0];
type Twin = Parameters<InstanceType<typeof CpuPainter>["share"]>[0];

vi.mock("../src/wasm/parlante.js", () => ({}));

const SIZE = 16;
/** Where the engine keeps its frame. */
const ADDRESS = 128;
const memory = { buffer: new ArrayBuffer(ADDRESS + SIZE * SIZE * 4) };
/** Rows that the engine painted, in turn. */
let painted: [number, number][] = [];
/** What a frame shows in a row: the motion, and which row it is. */
const colour = (motion: Float32Array, row: number) => ((motion[0] ?? 0) + row) % 256;

const engine = {
  planned: 1,
  painted: 2,
  fitted: new Uint8Array(8),
  render(motion: Float32Array, size: number, top: number, bottom: number) {
    painted.push([top, bottom]);
    const pixels = new Uint8Array(memory.buffer, ADDRESS);
    for (let row = top; row < bottom; row++) pixels.fill(colour(motion, row), row * size * 4, (row + 1) * size * 4);
    return ADDRESS;
  },
} as unknown as Engine;

/** A second worker in this thread: it answers after a turn of the event loop. */
class FakeTwin {
  alive = true;
  memory = 0;
  ready = true;
  readonly heard: string[] = [];

  setPortrait(): void {
    this.heard.push("portrait");
  }

  setBackground(behind: unknown): void {
    this.heard.push(String(behind));
  }

  readyFor(): boolean {
    return this.alive && this.ready;
  }

  async paint(motion: Float32Array, size: number, top: number) {
    const copy = motion.slice();
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!this.alive) return undefined;
    const pixels = new Uint8Array(size * size * 4);
    for (let row = top; row < size; row++) {
      pixels.fill(colour(copy, row), (row - top) * size * 4, (row + 1 - top) * size * 4);
    }
    return { pixels: pixels.buffer, milliseconds: 1 };
  }

  close(): void {
    this.alive = false;
  }
}

/** Frames that reached the canvas. */
let shown: Uint8ClampedArray[] = [];
const context = {
  canvas: { width: SIZE },
  putImageData: ({ data }: ImageData) => void shown.push(data.slice()),
} as unknown as OffscreenCanvasRenderingContext2D;
const whole = (motion: Float32Array) =>
  Uint8ClampedArray.from({ length: SIZE * SIZE * 4 }, (_, i) => colour(motion, Math.floor(i / SIZE / 4)));

let painter: InstanceType<typeof CpuPainter>;
let twin: FakeTwin;

beforeEach(() => {
  vi.stubGlobal(
    "ImageData",
    class {
      constructor(
        readonly data: Uint8ClampedArray,
        readonly width: number,
      ) {}
    },
  );
  painted = [];
  shown = [];
  painter = new CpuPainter(engine, memory as WebAssembly.Memory);
  twin = new FakeTwin();
});
afterEach(() => void vi.unstubAllGlobals());

const share = () => painter.share(twin as unknown as Twin);
const motion = (n: number) => new Float32Array([n]);

it("paints whole frames alone, and with a second worker only the upper rows", async () => {
  await painter.paint(motion(3), context);
  expect([painted, painter.threads]).toEqual([[[0, SIZE]], 1]);
  share();
  // The second worker gets the portrait after a frame that was painted without it.
  await painter.paint(motion(4), context);
  expect(painted.at(-1)).toEqual([0, SIZE]);
  await painter.paint(motion(5), context);
  expect([painted.at(-1), painter.threads]).toEqual([[0, SIZE / 2], 2]);
  expect(shown).toEqual([3, 4, 5].map((n) => whole(motion(n))));
  expect(twin.heard).toEqual(["keep", "portrait"]);
});

it("never mixes frames that are asked for at once", async () => {
  share();
  await painter.paint(motion(0), context);
  await Promise.all([10, 20, 30].map((n) => painter.paint(motion(n), context)));
  expect(shown).toEqual([0, 10, 20, 30].map((n) => whole(motion(n))));
});

it("paints the rest itself when the second worker dies in the middle of a frame, and goes on alone", async () => {
  share();
  await painter.paint(motion(0), context);
  const frame = painter.paint(motion(7), context);
  await Promise.resolve();
  twin.close();
  await frame;
  await painter.paint(motion(8), context);
  expect(shown).toEqual([0, 7, 8].map((n) => whole(motion(n))));
  expect(painted.slice(1)).toEqual([
    [0, SIZE / 2],
    [SIZE / 2, SIZE],
    [0, SIZE],
  ]);
  expect(painter.threads).toBe(1);
});

it("shows a frame during which the memory grew", async () => {
  share();
  await painter.paint(motion(0), context);
  const frame = painter.paint(motion(7), context);
  await Promise.resolve();
  // What a view looked at is gone then.
  memory.buffer = structuredClone(memory.buffer, { transfer: [memory.buffer] });
  await frame;
  expect(shown).toEqual([0, 7].map((n) => whole(motion(n))));
});

it("hands every portrait and background on", async () => {
  painter.renewBackground("blur");
  share();
  await painter.paint(motion(0), context);
  painter.renew();
  twin.ready = false;
  await painter.paint(motion(1), context);
  painter.renewBackground("#102030");
  await painter.paint(motion(2), context);
  expect(
    painted.map(([, bottom]) => bottom),
    "alone until it is ready",
  ).toEqual([SIZE, SIZE, SIZE]);
  expect(twin.heard).toEqual(["blur", "portrait", "portrait", "#102030"]);
});
