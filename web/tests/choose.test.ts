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
type Engine = Parameters<typeof ChosenPainter.open>[0];

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
  },
} as unknown as Engine;
const motion = new Float32Array(4);
const canvas = () => new FakeCanvas(64, 64).getContext() as unknown as OffscreenCanvasRenderingContext2D;

beforeEach(() => {
  vi.stubGlobal("OffscreenCanvas", FakeCanvas);
  vi.stubGlobal(
    "ImageData",
    class {
      readonly data = new Uint8ClampedArray(4);
      constructor(readonly width: number) {}
    },
  );
  Object.assign(card, { missing: false, opened: 0, freed: 0, preparing: 0, milliseconds: 0, failures: 0 });
  Object.assign(processor, { preparing: 0, milliseconds: 0 });
});

afterEach(() => void vi.unstubAllGlobals());

describe("the choice of a painter", () => {
  it("paints with the processor until the graphics card has proved faster", async () => {
    processor.milliseconds = 12;
    card.milliseconds = 1;
    const painter = await ChosenPainter.open(engine, "auto", () => {});
    expect(painter.backend).toBe("cpu");
    painter.renew(64);
    await vi.waitFor(() => expect(painter.backend).toBe("webgpu"));
    expect(card.freed).toBe(0);
  });

  it("stays with the processor and gives a slower graphics card back", async () => {
    processor.milliseconds = 1;
    card.milliseconds = 12;
    const painter = await ChosenPainter.open(engine, "auto", () => {});
    painter.renew(64);
    await vi.waitFor(() => expect(card.freed).toBe(1));
    expect(painter.backend).toBe("cpu");
  });

  it("judges neither by its first frame, which prepares the portrait", async () => {
    Object.assign(processor, { preparing: 620, milliseconds: 1 });
    Object.assign(card, { preparing: 620, milliseconds: 12 });
    const painter = await ChosenPainter.open(engine, "auto", () => {});
    painter.renew(64);
    await vi.waitFor(() => expect(card.freed).toBe(1), { timeout: 5000 });
    expect(painter.backend).toBe("cpu");

    Object.assign(card, { preparing: 620, milliseconds: 1 });
    Object.assign(processor, { preparing: 0, milliseconds: 12 });
    const other = await ChosenPainter.open(engine, "auto", () => {});
    other.renew(64);
    await vi.waitFor(() => expect(other.backend).toBe("webgpu"), { timeout: 5000 });
  });

  it("does without WebGPU unless it was asked for", async () => {
    card.missing = true;
    expect((await ChosenPainter.open(engine, "auto", () => {})).backend).toBe("cpu");
    await expect(ChosenPainter.open(engine, "webgpu", () => {})).rejects.toMatchObject({ code: "webgpu" });
  });

  it("never opens the graphics card where the processor was asked for", async () => {
    await ChosenPainter.open(engine, "cpu", () => {});
    expect(card.opened).toBe(0);
  });

  it("opens a lost graphics card again and goes on", async () => {
    let fallbacks = 0;
    const painter = await ChosenPainter.open(engine, "webgpu", () => void fallbacks++);
    card.failures = 1;
    await painter.paint(motion, canvas());
    expect([painter.backend, card.opened, fallbacks]).toEqual(["webgpu", 2, 0]);
  });

  it("goes on with the processor when the graphics card is lost for good, and says so once", async () => {
    let fallbacks = 0;
    const painter = await ChosenPainter.open(engine, "webgpu", () => void fallbacks++);
    card.failures = 9;
    for (let i = 0; i < 3; i++) await painter.paint(motion, canvas());
    expect([painter.backend, fallbacks]).toEqual(["cpu", 1]);
  });
});

it("paints small and stretches over the canvas", async () => {
  const sizes: number[] = [];
  const inner = {
    backend: "cpu" as const,
    paint: (_: Float32Array, context: OffscreenCanvasRenderingContext2D) => void sizes.push(context.canvas.width),
  };
  const context = canvas();
  await new SmallPainter(inner, 32).paint(motion, context);
  expect(sizes).toEqual([32]);
  expect((context.canvas as unknown as FakeCanvas).drawn).toEqual([5]);
});
