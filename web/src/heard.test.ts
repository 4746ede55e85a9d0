import { describe, expect, it } from "vitest";
import { asReported, ranBetween, withStretch, type Stretch } from "./heard";

describe("withStretch", () => {
  it("joins what touches or overlaps", () => {
    expect(withStretch([[0, 5]], 5, 6)).toEqual([[0, 6]]);
    expect(withStretch([[0, 5], [8, 9]], 4, 8.5)).toEqual([[0, 9]]);
  });

  it("keeps apart what was not heard between", () => {
    expect(withStretch([[10, 12]], 0, 3)).toEqual([[0, 3], [10, 12]]);
  });

  it("counts a second heard twice once", () => {
    expect(withStretch([[0, 5]], 1, 4)).toEqual([[0, 5]]);
  });

  it("adds nothing that stands still, goes back or is no number", () => {
    for (const [start, end] of [[3, 3], [3, 2], [NaN, 4], [3, NaN], [-1, 2]] as const) {
      expect(withStretch([[0, 1]], start, end)).toEqual([[0, 1]]);
    }
  });

  it("equals the union of seconds, whatever the order", () => {
    let heard: Stretch[] = [];
    const union = new Set<number>();
    for (let step = 0; step < 200; step += 1) {
      const start = (step * 37) % 110;
      heard = withStretch(heard, start, start + 1 + (step % 3));
      for (let second = start; second < start + 1 + (step % 3); second += 1) union.add(second);
      expect(heard.reduce((sum, [from, to]) => sum + to - from, 0)).toBe(union.size);
    }
  });
});

describe("ranBetween", () => {
  it("takes the steps of a running player, also of a fast one", () => {
    expect(ranBetween(1, 1.25, 1)).toBe(true);
    expect(ranBetween(1, 3.5, 2)).toBe(true);
  });

  it("takes no jump", () => {
    expect(ranBetween(1, 60, 1)).toBe(false);
    expect(ranBetween(5, 4, 1)).toBe(false);
  });
});

it("reports hundredths", () => {
  expect(asReported([[0.123456, 1.999]])).toEqual([[0.12, 2]]);
});
