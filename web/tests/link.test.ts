import { describe, expect, it } from "vitest";
import { ParlanteError } from "../src/errors.js";
import { Link } from "../src/link.js";
import type { EventHandlers, FromWorker, ToWorker } from "../src/protocol.js";

/** A worker's near end, with the far end in the test's hands. */
class FakeWorker {
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  readonly asked: ToWorker[] = [];
  ended = false;

  postMessage(message: ToWorker) {
    this.asked.push(message);
  }

  terminate() {
    this.ended = true;
  }
}

function linked(handlers: Partial<EventHandlers> = {}) {
  const worker = new FakeWorker();
  const nothing = () => {};
  const all = {
    ...{ stats: nothing, progress: nothing, notice: nothing, failure: nothing, frame: nothing, viseme: nothing },
    ...handlers,
  };
  return { worker, link: new Link(worker as unknown as Worker, all) };
}

describe("link", () => {
  it("gives every request its own answer, in any order", async () => {
    const { worker, link } = linked();
    const first = link.ask("sound", { from: 0 });
    const second = link.ask("sound", { from: 1 });
    const [a, b] = worker.asked;
    worker.onmessage?.({ data: { id: b?.id ?? -1, answer: "second" } });
    worker.onmessage?.({ data: { id: a?.id ?? -1, answer: "first" } });
    expect(await Promise.all([first, second])).toEqual(["first", "second"]);
  });

  it("turns an error of the worker into a typed one", async () => {
    const { worker, link } = linked();
    const asked = link.ask("idle", { over: false });
    worker.onmessage?.({ data: { id: worker.asked[0]?.id ?? -1, error: { code: "voice", message: "No sound." } } });
    await expect(asked).rejects.toMatchObject({ name: "ParlanteError", code: "voice", message: "No sound." });
  });

  it("hands events to their handler", () => {
    const heard: string[] = [];
    const { worker } = linked({ notice: ({ code }) => void heard.push(code) });
    worker.onmessage?.({ data: { event: "notice", data: { code: "slow", message: "slow" } } });
    expect(heard).toEqual(["slow"]);
  });

  it("fails everything that waits, and everything later, once the worker has died", async () => {
    const { worker, link } = linked();
    const waiting = link.ask("idle", { over: false });
    worker.onerror?.({ message: "boom" });
    await expect(waiting).rejects.toMatchObject({ code: "internal" });
    await expect(link.ask("idle", { over: false })).rejects.toBeInstanceOf(ParlanteError);
    expect(worker.ended).toBe(true);
  });
});
