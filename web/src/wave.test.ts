// @vitest-environment happy-dom
import { expect, it } from "vitest";
import { waveform, wavePath } from "./wave";

it("draws a bar for each loudest of its peaks, as the house does", () => {
  expect(wavePath([0, 255, 128, 128], 2)).toBe("M0 0h0.62v100h-0.62zM1 25h0.62v50h-0.62z");
});

it("draws as many bars as asked, whatever the peaks", () => {
  for (const peaks of [[], [9], Array(200).fill(255)]) expect(wavePath(peaks, 60).match(/M/g)).toHaveLength(60);
});

it("never loses a peak between bars", () => {
  for (let at = 0; at < 200; at += 1) {
    const peaks = Array<number>(200).fill(0);
    peaks[at] = 255;
    expect(wavePath(peaks, 60)).toContain("v100h");
  }
});

it("is nothing for those who listen to the page", () => {
  expect(waveform([1, 2], 10).getAttribute("aria-hidden")).toBe("true");
});
