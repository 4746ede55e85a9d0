import { expect, it } from "vitest";
import { cellOf } from "./cells";
import { stepped } from "./picking";

const LYON = { latitude: 45.764, longitude: 4.8357 };

it("goes to the next cell by an arrow key", () => {
  for (const precision of ["street", "neighbourhood", "town"] as const) {
    const cell = cellOf(LYON, precision);
    const north = cellOf(stepped(LYON, precision, "ArrowUp", 1) ?? LYON, precision);
    expect(north.south).toBeCloseTo(cell.north, 9);
    const west = cellOf(stepped(LYON, precision, "ArrowLeft", 1) ?? LYON, precision);
    expect(west.east).toBeCloseTo(cell.west, 9);
  }
});

it("goes a few metres where the place is exact", () => {
  const to = stepped(LYON, "exact", "ArrowUp", 1);
  expect((to?.latitude ?? 0) - LYON.latitude).toBeCloseTo(180 / 140_000 / 10, 9);
});

it("stays on the earth", () => {
  expect(stepped({ latitude: 89.95, longitude: 0 }, "town", "ArrowUp", 10)?.latitude).toBe(89.9);
  const to = stepped({ latitude: 0, longitude: 179.99 }, "town", "ArrowRight", 1);
  expect(to?.longitude).toBeLessThan(-179);
});

it("knows no other keys", () => {
  expect(["a", "Enter", "constructor", "Tab"].map((key) => stepped(LYON, "town", key, 1))).toEqual([null, null, null, null]);
});
