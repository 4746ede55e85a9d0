import { describe, expect, it } from "vitest";
import { bearing, lookAround, whereabouts, wind, type Ask } from "./around";
import type { Voice } from "./queue";

const HERE = { latitude: 45, longitude: 5 };
function voice(code: string, latitude: number | null): Voice {
  const place = latitude === null ? null : { latitude, longitude: 5, radius_m: 100 };
  return { code, title: code, url: "", channel: { title: "c" }, place, duration_s: 5, renditions: [{ url: "/a", type: "" }] };
}

const never = () => false;

/** A house where voices lie so many metres away, or anywhere. */
function house(away_m: number | null, asked: string[] = []): Ask {
  return async (query) => {
    const reach_m = Number(query.get("radius_m") ?? Infinity);
    asked.push(query.has("near") ? (query.get("radius_m") ?? "any") : String(query.get("sort")));
    const isThere = query.has("near") ? away_m !== null && away_m <= reach_m : true;
    return { items: isThere ? [voice("found", 45.001)] : [], next: null };
  };
}

describe("looking around", () => {
  it("goes no further than it must", async () => {
    const asked: string[] = [];
    expect(await lookAround(house(150, asked), HERE, never)).toMatchObject({ kind: "within", reach_m: 200 });
    expect(asked).toEqual(["200"]);
  });

  it("looks ever wider", async () => {
    const asked: string[] = [];
    expect(await lookAround(house(4_000, asked), HERE, never)).toMatchObject({ kind: "within", reach_m: 5_000 });
    expect(asked).toEqual(["200", "1000", "5000"]);
    expect(await lookAround(house(90_000), HERE, never)).toMatchObject({ kind: "far" });
  });

  it("ends with the newest, which need no place", async () => {
    expect(await lookAround(house(null), HERE, never)).toMatchObject({ kind: "anywhere" });
    const asked: string[] = [];
    await lookAround(house(10, asked), null, never);
    expect(asked).toEqual(["newest"]);
  });

  it("passes over what was heard, page by page", async () => {
    const ask: Ask = async (query) =>
      query.has("cursor") ? { items: [voice("new", 45)], next: null } : { items: [voice("old", 45)], next: "more" };
    const { voices } = await lookAround(ask, HERE, (code) => code === "old");
    expect(voices.map(({ code }) => code)).toEqual(["new"]);
  });

  it("says when all was heard", async () => {
    expect(await lookAround(house(10), HERE, () => true)).toEqual({ kind: "nothing", voices: [] });
  });
});

describe("where a voice is", () => {
  it("is told by the eight winds", () => {
    const to = (latitude: number, longitude: number) => wind(bearing(HERE, { latitude, longitude }));
    expect([to(46, 5), to(46, 6.4), to(45, 6), to(44, 5), to(45, 4), to(45.7, 4)]).toEqual(["n", "ne", "e", "s", "w", "nw"]);
    expect(wind(359)).toBe("n");
  });

  it("crosses the antimeridian", () => {
    expect(wind(bearing({ latitude: 0, longitude: 179.9 }, { latitude: 0, longitude: -179.9 }))).toBe("e");
  });

  it("is right here inside its circle", () => {
    expect(whereabouts(HERE, voice("a", 45.0005))?.away_m).toBe(0);
    expect(whereabouts(HERE, voice("a", 45.01))?.away_m).toBeCloseTo(1112, 0);
    expect(whereabouts(null, voice("a", 45))).toBeNull();
    expect(whereabouts(HERE, voice("a", null))).toBeNull();
  });
});
