import { describe, expect, it } from "vitest";
import { address, around, boundsOf, question, unwrapped, wrapped, written, WORLD } from "./view";

const LYON = { west: 4.8, south: 45.7, east: 4.9, north: 45.8 };
const FIJI = { west: 177, south: -19, east: -179, north: -16 };

describe("a view in an address", () => {
  it("comes back as it was written", () => {
    for (const view of [LYON, FIJI, WORLD]) expect(boundsOf(written(view))).toEqual(view);
  });

  it("tells no more than a metre", () => {
    expect(written({ west: 4.123456789, south: 0, east: 5, north: 1e-9 })).toBe("4.12346,0,5,0");
  });

  it("is none when it is damaged", () => {
    const damaged = ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,,3,4", "NaN,0,1,1", "0,9,1,1", "0,0,181,1", "0,-91,1,1", "1e999,0,1,1"];
    expect(damaged.map(boundsOf)).toEqual(damaged.map(() => null));
  });
});

describe("a map without end", () => {
  it("is brought back onto the earth", () => {
    expect(wrapped({ west: 177, south: -19, east: 181, north: -16 })).toEqual(FIJI);
    expect(wrapped({ west: -183, south: -19, east: -179, north: -16 })).toEqual(FIJI);
    expect(wrapped({ west: 364.8, south: 45.7, east: 364.9, north: 45.8 }).west).toBeCloseTo(4.8);
  });

  it("shows the whole earth at most", () => {
    expect(wrapped({ west: -300, south: -95, east: 300, north: 95 })).toEqual(WORLD);
  });

  it("is given an east beyond its west", () => {
    expect(unwrapped(FIJI).east).toBe(181);
    expect(unwrapped(LYON)).toEqual(LYON);
  });
});

describe("the view around points", () => {
  const at = (longitude: number, latitude = 0) => ({ latitude, longitude });

  it("holds them all", () => {
    expect(around([at(4, 45), at(2, 48)])).toEqual({ west: 2, east: 4, south: 45, north: 48 });
    expect(around([at(4, 45)])).toEqual({ west: 4, east: 4, south: 45, north: 45 });
    expect(around([at(4), at(4)])).toMatchObject({ west: 4, east: 4 });
  });

  it("crosses the antimeridian where that is shorter", () => {
    expect(around([at(178), at(-178), at(179)])).toMatchObject({ west: 178, east: -178 });
  });

  it("is none around none", () => expect(around([])).toBeNull());
});

describe("what is asked", () => {
  const filters = [["q", " fresh bread "], ["language", ""], ["tag", "a&b"], ["bbox", "old"]] as const;

  it("holds the filters that are filled and the view", () => {
    expect(address("/map", LYON, filters)).toBe("/map?q=fresh+bread&tag=a%26b&bbox=4.8%2C45.7%2C4.9%2C45.8");
  });

  it("holds no view while there is none", () => {
    expect(address("/map", null, [])).toBe("/map");
  });

  it("has a time for a period, the same all hour", () => {
    const asked = (now: string) => new URLSearchParams(question(LYON, 12.345, [["period", "day"]], Date.parse(now)));
    expect(asked("2026-11-22T10:59:59Z").get("since")).toBe("2026-11-21T10:00:00.000Z");
    expect(asked("2026-11-22T10:00:01Z").toString()).toBe(asked("2026-11-22T10:59:59Z").toString());
    expect(asked("2026-11-22T10:00:00Z").get("zoom")).toBe("12.35");
    expect(asked("2026-11-22T10:00:00Z").has("period")).toBe(false);
  });

  it("knows no other periods", () => {
    expect(question(LYON, 1, [["period", "constructor"]], 0)).not.toContain("since");
  });
});
