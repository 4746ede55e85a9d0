import { describe, expect, it } from "vitest";
import { cellOf, distance_m, isAsCoarse, isOnEarth, radius_m, ring, snap, type CellPrecision } from "./cells";
import vectors from "./cells.vectors.json";

describe("the house's own vectors", () => {
  it("cell by cell, centre by centre", () => {
    for (const { point, precision: named, cell, centre, radius_m: half } of vectors) {
      const precision = named as CellPrecision;
      const at = { latitude: point[0]!, longitude: point[1]! };
      const { south, west, north, east } = cellOf(at, precision);
      [south, west, north, east].forEach((side, number) => expect(side).toBeCloseTo(cell[number]!, 8));
      const snapped = snap(at, precision)!;
      expect(snapped.latitude).toBeCloseTo(centre[0]!, 5);
      expect(snapped.longitude).toBeCloseTo(centre[1]!, 5);
      expect(radius_m(at, precision)).toBeCloseTo(half, 0);
    }
  });
});

it("snaps a snapped point to itself, so that the house finds the same cell", () => {
  for (const { centre, precision } of vectors) {
    const at = { latitude: centre[0]!, longitude: centre[1]! };
    expect(snap(at, precision as CellPrecision)).toEqual(at);
  }
});

it("keeps six decimals of an exact point and nothing of none", () => {
  const at = { latitude: 48.85661234, longitude: 2.35221234 };
  expect(snap(at, "exact")).toEqual({ latitude: 48.856612, longitude: 2.352212 });
  expect(snap(at, "none")).toBeNull();
  expect(radius_m(at, "exact")).toBe(0);
});

it("knows what is not on the earth", () => {
  expect(isOnEarth({ latitude: 90, longitude: -180 })).toBe(true);
  for (const latitude of [90.01, NaN, Infinity]) expect(isOnEarth({ latitude, longitude: 0 })).toBe(false);
});

it("orders precisions by what they tell", () => {
  expect(isAsCoarse("town", "street")).toBe(true);
  expect(isAsCoarse("exact", "street")).toBe(false);
});

it("measures and draws", () => {
  expect(distance_m({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 1 })).toBeCloseTo(111_195, -1);
  expect(ring({ south: 0, west: 1, north: 2, east: 3 })).toHaveLength(5);
});
