import { describe, expect, it } from "vitest";
import { fromAddress, toAddress } from "../page/settings.js";
import { DEFAULT_CONTROLS, withChange } from "../src/controls.js";

describe("settings in the address", () => {
  it("says nothing of a calm start", () => {
    expect(toAddress(DEFAULT_CONTROLS)).toBe("");
    expect(withChange(DEFAULT_CONTROLS, fromAddress(""))).toEqual(DEFAULT_CONTROLS);
  });

  it("comes back as it was", () => {
    const change = {
      emotion: { happy: 0.625, tender: 1 },
      gaze: { x: -12, y: 7 },
      pose: { yaw: 0, pitch: -30, roll: 2.5 },
      distance: 1.2,
      listening: 0.5,
      blinkRate: 0,
      seed: 4_294_967_295,
    };
    const controls = withChange(DEFAULT_CONTROLS, change);
    expect(withChange(DEFAULT_CONTROLS, fromAddress(`#${toAddress(controls)}`))).toEqual(controls);
  });

  it("leaves out what is no control, no number or out of range", () => {
    const odd = "#happy=2&sad=NaN&angry=&gazeX=1e9&distance=Infinity&seed=-1&who=me&<script>&yaw=12";
    expect(withChange(DEFAULT_CONTROLS, fromAddress(odd))).toEqual(withChange(DEFAULT_CONTROLS, { pose: { yaw: 12 } }));
  });
});
