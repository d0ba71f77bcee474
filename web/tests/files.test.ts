import { describe, expect, it } from "vitest";
import { kindOf, wordsKind } from "../page/files.js";

const named = (name: string, type = "") => ({ name, type });

describe("files", () => {
  it("tells pictures, recordings and words apart", () => {
    expect(kindOf(named("me.HEIC"))).toBe("portrait");
    expect(kindOf(named("a", "image/png"))).toBe("portrait");
    expect(kindOf(named("talk.opus"))).toBe("voice");
    expect(kindOf(named("clip.mp4", "video/mp4"))).toBe("voice");
    expect(kindOf(named("talk.TextGrid"))).toBe("words");
    expect(kindOf(named("talk.txt", "text/plain"))).toBe("words");
    expect(kindOf(named("talk.json", "application/json"))).toBe("words");
    expect(kindOf(named("virus.exe"))).toBeUndefined();
  });

  it("tells times of phones from plain text", () => {
    for (const name of ["a.json", "a.jsonl", "a.marks", "a.ctm", "a.textgrid"]) {
      expect(wordsKind(named(name, "text/plain")), name).toBe("phones");
    }
    expect(wordsKind(named("a.txt"))).toBe("transcript");
    expect(wordsKind(named("a.wav", "audio/wav"))).toBeUndefined();
  });
});
