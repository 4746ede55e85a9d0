import type { Feature } from "geojson";
import { expect, it } from "vitest";
import { fill, meant } from "./overlay";

const spot = (code: string, radius: number): Feature => ({
  type: "Feature",
  geometry: { type: "Point", coordinates: [0, 0] },
  properties: { code, radius },
});

it("takes a finger for the smallest bubble under it, and then for the next that is seen as a whole", () => {
  expect(meant([spot("street", 2), spot("town", 50), spot("exact", 0)], 10)).toEqual(["exact", "street"]);
});

it("takes it for a bubble wider than the view where there is no other", () => {
  expect(meant([spot("town", 50), spot("county", 90)], 10)).toEqual(["town", "county"]);
});

it("tints no bubble that is wider than the view, at any zoom", () => {
  const [kind, , , ...stops] = fill(200) as unknown as [string, unknown, unknown, ...unknown[]];
  expect(kind).toBe("interpolate");
  const at = (zoom: number) => stops[stops.indexOf(zoom) + 1] as [string, [string, unknown, number], number];
  expect([at(0)[1][2], at(3)[1][2]]).toEqual([200, 25]);
  expect(at(3)[2]).toBe(0);
});
