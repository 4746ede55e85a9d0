import { expect, test } from "vitest";
import { labelled } from "./countries.mjs";
import { flat } from "./flat.mjs";
import { isStanding, townLabel } from "./towns.mjs";

const polygon = (...ring) => ({ type: "Polygon", coordinates: [[...ring, ring[0]]] });

test("what crosses the antimeridian becomes two pieces, one at each end of the map", () => {
  const pieces = flat(polygon([170, 0], [-170, 0], [-170, 10], [170, 10]));
  const sides = pieces.map(([ring]) => ring.map(([longitude]) => longitude)).map((all) => [Math.min(...all), Math.max(...all)]);
  expect(sides).toEqual([[-180, -170], [170, 180]]);
});

test("what goes around a pole is closed along the edge of the map", () => {
  const [[ring]] = flat(polygon([-90, -70], [30, -70], [150, -70]));
  expect(Math.min(...ring.map(([, latitude]) => latitude))).toBe(-90);
  expect(ring.every(([longitude]) => Math.abs(longitude) <= 180)).toBe(true);
});

test("what lies on one side stays as it is, with its holes", () => {
  const ring = (from, to) => [[from, from], [to, from], [to, to], [from, to], [from, from]];
  const [made] = flat({ type: "Polygon", coordinates: [ring(0, 9), ring(2, 3)] });
  expect(made.map((each) => each.length)).toEqual([5, 5]);
});

test("a country is named in both languages, at a point inside", () => {
  const horseshoe = polygon([0, 0], [30, 0], [30, 20], [20, 20], [20, 5], [4, 5], [4, 20], [0, 20]);
  const [label] = labelled({ id: "276", geometry: horseshoe });
  expect(label.properties).toMatchObject({ code: "DE", name_en: "Germany", name_fr: "Allemagne" });
  expect(label.geometry.coordinates).toEqual([25, 10]);
  expect(labelled({ geometry: horseshoe })).toEqual([]);
});

test("larger towns are labelled from farther away, and no tile lacks one that a nearer zoom shows", () => {
  const label = (population, featureCode = "PPL") => townLabel({ name: "Town", featureCode, population, loc: {} });
  const zooms = [9e6, 1e6, 2e5, 1e4, 900].map((population) => label(population).properties.from);
  expect(zooms).toEqual([...zooms].sort((one, other) => one - other));
  expect(label(900).tippecanoe.minzoom).toBeLessThanOrEqual(7);
  expect(label(900, "PPLC").properties.from).toBe(3);
  expect(isStanding({ featureCode: "PPLH" })).toBe(false);
});
