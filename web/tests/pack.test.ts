import { afterEach, describe, expect, it, vi } from "vitest";
import { fetchPack } from "../src/pack.js";

afterEach(() => void vi.unstubAllGlobals());

function answer(body: BodyInit | null, init: ResponseInit = {}) {
  vi.stubGlobal("fetch", async () => new Response(body, init));
}

describe("fetching a pack", () => {
  it("tells how far it is and puts the pieces together", async () => {
    const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
    const body = new ReadableStream({
      start(stream) {
        for (let at = 0; at < 3000; at += 1000) stream.enqueue(bytes.slice(at, at + 1000));
        stream.close();
      },
    });
    answer(body, { headers: { "content-length": "3000" } });
    const heard: number[] = [];
    const got = await fetchPack("p.gguf", ({ loaded, total }) => void heard.push(loaded / (total ?? 1)));
    expect(got).toEqual(bytes);
    expect(heard.at(-1)).toBe(1);
    expect(heard).toEqual([...heard].sort());
  });

  it("says which address failed", async () => {
    answer("gone", { status: 404 });
    await expect(fetchPack("https://example.org/p.gguf")).rejects.toMatchObject({
      code: "pack",
      message: expect.stringContaining("https://example.org/p.gguf"),
    });
  });

  it("says so when there is no network", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")));
    await expect(fetchPack("p.gguf")).rejects.toMatchObject({ code: "pack" });
  });

  it("can be cancelled", async () => {
    vi.stubGlobal("fetch", (_: unknown, { signal }: RequestInit) => Promise.reject(signal?.reason));
    await expect(fetchPack("p.gguf", undefined, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
  });

  it("takes a copy of bytes that it is given", async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const got = await fetchPack(bytes.buffer);
    bytes[0] = 9;
    expect(got).toEqual(Uint8Array.of(1, 2, 3));
  });
});
