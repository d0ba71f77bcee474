import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** What the fake graphics card does; each test sets it. */
const card = { missing: false, opened: 0, freed: 0, preparing: 0, milliseconds: 0, failures: 0 };
/** Milliseconds that the fake processor's first frame takes beside its work, and each frame. */
const processor = { preparing: 0, milliseconds: 0 };

function spend(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

vi.mock("../src/wasm/parlante.js", () => ({
  restFrame: () => new Float32Array(4),
  openGpu: async () => {
    if (card.missing) throw Object.assign(new Error("No WebGPU."), { code: "webgpu" });
    card.opened++;
    return {
      prepare: () => spend(card.preparing),
      paint() {
        if (card.failures > 0) {
          card.failures--;
          throw Object.assign(new Error("Lost."), { code: "webgpu" });
        }
        spend(card.milliseconds);
      },
      finished: async () => {},
      free: () => void card.freed++,
    };
  },
}));

const { ChosenPainter, SmallPainter } = await import("../src/worker/choose.js");
type Means = Parameters<typeof ChosenPainter.open>[0];

/** Enough of a canvas to be painted on. */
class FakeCanvas {
  drawn: number[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  getContext() {
    return {
      canvas: this,
      putImageData() {},
      drawImage: (...at: number[]) => void this.drawn.push(at.length),
      getImageData() {},
    };
  }
}

const engine = {
  render() {
    spend(processor.milliseconds + processor.preparing);
    processor.preparing = 0;
    return 0;
  },
} as unknown as Means["engine"];
/** What is told of a graphics card that is given up, and how often a second worker was wanted. */
let given: string[] = [];
let twins = 0;
const means: Means = {
  engine,
  memory: { buffer: new ArrayBuffer(64 * 64 * 4) } as WebAssembly.Memory,
  twin: () => {
    twins += 1;
    return undefined;
  },
  onFallback: (why) => void given.push(why),
};
const motion = new Float32Array(4);
const canvas = () => new FakeCanvas(64, 64).getContext() as unknown as OffscreenCanvasRenderingContext2D;

beforeEach(() => {
  vi.stubGlobal("OffscreenCanvas", FakeCanvas);
  vi.stubGlobal(
    "ImageData",
    class {
      constructor(
        readonly data: Uint8ClampedArray,
        readonly width: number,
      ) {}
    },
  );
  Object.assign(card, { missing: false, opened: 0, freed: 0, preparing: 0, milliseconds: 0, failures: 0 });
  Object.assign(processor, { preparing: 0, milliseconds: 0 });
  given = [];
  twins = 0;
});

afterEach(() => void vi.unstubAllGlobals());

describe("the choice of a painter", () => {
  it("paints with the processor until the graphics card has proved faster", async () => {
    processor.milliseconds = 12;
    card.milliseconds = 1;
    const painter = await ChosenPainter.open(means, "auto");
    expect(painter.backend).toBe("cpu");
    painter.renew(64);
    await vi.waitFor(() => expect(painter.backend).toBe("webgpu"));
    expect([card.freed, painter.reason, twins]).toEqual([0, "measured", 0]);
  });

  it("goes on with the processor when the graphics card becomes slow for a second, and says so", async () => {
    processor.milliseconds = 2;
    const painter = await ChosenPainter.open(means, "auto");
    painter.renew(64);
    await vi.waitFor(() => expect(painter.backend).toBe("webgpu"));
    card.milliseconds = 50;
    for (let i = 0; i < 10; i++) await painter.paint(motion, canvas());
    card.milliseconds = 1;
    await painter.paint(motion, canvas());
    expect(painter.backend, "half a second is forgiven").toBe("webgpu");
    card.milliseconds = 50;
    for (let i = 0; i < 30 && painter.backend === "webgpu"; i++) await painter.paint(motion, canvas());
    expect([painter.backend, painter.reason, given, card.freed, twins]).toEqual(["cpu", "slow", ["slow"], 1, 1]);
  });

  it("keeps a slow graphics card that was asked for", async () => {
    card.milliseconds = 50;
    const painter = await ChosenPainter.open(means, "webgpu");
    painter.renew(64);
    for (let i = 0; i < 25; i++) await painter.paint(motion, canvas());
    expect([painter.backend, painter.reason]).toEqual(["webgpu", "asked"]);
  });

  it("stays with the processor and gives a slower graphics card back", async () => {
    processor.milliseconds = 1;
    card.milliseconds = 12;
    const painter = await ChosenPainter.open(means, "auto");
    painter.renew(64);
    await vi.waitFor(() => expect(card.freed).toBe(1));
    expect([painter.backend, painter.reason, twins]).toEqual(["cpu", "measured", 1]);
  });

  it("judges neither by its first frame, which prepares the portrait", async () => {
    Object.assign(processor, { preparing: 620, milliseconds: 1 });
    Object.assign(card, { preparing: 620, milliseconds: 12 });
    const painter = await ChosenPainter.open(means, "auto");
    painter.renew(64);
    await vi.waitFor(() => expect(card.freed).toBe(1), { timeout: 5000 });
    expect(painter.backend).toBe("cpu");

    Object.assign(card, { preparing: 620, milliseconds: 1 });
    Object.assign(processor, { preparing: 0, milliseconds: 12 });
    const other = await ChosenPainter.open(means, "auto");
    other.renew(64);
    await vi.waitFor(() => expect(other.backend).toBe("webgpu"), { timeout: 5000 });
  });

  it("does without WebGPU unless it was asked for", async () => {
    card.missing = true;
    expect((await ChosenPainter.open(means, "auto")).backend).toBe("cpu");
    await expect(ChosenPainter.open(means, "webgpu")).rejects.toMatchObject({ code: "webgpu" });
  });

  it("never opens the graphics card where the processor was asked for", async () => {
    const painter = await ChosenPainter.open(means, "cpu");
    painter.renew(64);
    painter.renew(64);
    expect([card.opened, painter.reason, twins], "one second worker, whatever portraits come").toEqual([0, "asked", 1]);
  });

  it("opens a lost graphics card again and goes on", async () => {
    const painter = await ChosenPainter.open(means, "webgpu");
    card.failures = 1;
    await painter.paint(motion, canvas());
    expect([painter.backend, card.opened, given]).toEqual(["webgpu", 2, []]);
  });

  it("goes on with the processor when the graphics card is lost for good, and says so once", async () => {
    const painter = await ChosenPainter.open(means, "webgpu");
    card.failures = 9;
    for (let i = 0; i < 3; i++) await painter.paint(motion, canvas());
    expect([painter.backend, painter.reason, given, twins]).toEqual(["cpu", "lost", ["lost"], 1]);
  });
});

it("paints small and stretches over the canvas", async () => {
  const sizes: number[] = [];
  const inner = {
    backend: "cpu" as const,
    spent: { plan: 0, paint: 0, wait: 0, show: 0 },
    paint: (_: Float32Array, context: OffscreenCanvasRenderingContext2D) => void sizes.push(context.canvas.width),
  };
  const context = canvas();
  await new SmallPainter(inner, 32).paint(motion, context);
  expect(sizes).toEqual([32]);
  expect((context.canvas as unknown as FakeCanvas).drawn).toEqual([5]);
});
