// The names of countries, in both languages of the pages, at a point that surely lies inside.

import { flat } from "./flat.mjs";

const LANGUAGES = ["en", "fr"];
const names = LANGUAGES.map((language) => new Intl.DisplayNames([language], { type: "region", fallback: "none" }));
/** Square degrees from which on a country is labelled at a zoom; the last zoom labels all. */
const LEAST_AREA = { 1: 300, 2: 100, 3: 25, 4: 5, 5: 0.5 };
const LAST_ZOOM = 6;

/** The label of a country as a list of one; none for what has no code of its own, such as a buffer zone. */
export function labelled(area) {
  // CLDR knows the numeric codes of ISO 3166 as aliases: 250 is FR.
  const code = area.id && new Intl.Locale(`und-${area.id}`).region;
  const [name_en, name_fr] = names.map((each) => code && each.of(code));
  if (!name_en) return [];
  const [outline, size] = largest(area.geometry);
  const minzoom = Number(Object.entries(LEAST_AREA).find(([, least]) => size >= least)?.[0] ?? LAST_ZOOM);
  return [
    {
      type: "Feature",
      properties: { code, name_en, name_fr, size: Math.round(size * 100), from: minzoom },
      geometry: { type: "Point", coordinates: inside(outline) },
      tippecanoe: { minzoom },
    },
  ];
}

/** The outer ring of the largest polygon, and its size in square degrees of the equator. */
function largest(geometry) {
  const rings = flat(geometry).map(([outer]) => [outer, extent(outer)]);
  return rings.reduce((best, each) => (each[1] > best[1] ? each : best));
}

function extent(ring) {
  let sum = 0;
  for (let at = 1; at < ring.length; at++) {
    const [[x0, y0], [x1, y1]] = [ring[at - 1], ring[at]];
    sum += ((x1 - x0) * (sine(y0) + sine(y1))) / 2;
  }
  return Math.abs(sum) * (180 / Math.PI);
}

const sine = (degrees) => Math.sin((degrees * Math.PI) / 180);

/** The middle of the longest stretch of a ring at the latitude of its centre: a centroid can lie outside. */
function inside(ring) {
  const latitudes = ring.map(([, latitude]) => latitude);
  const latitude = (Math.min(...latitudes) + Math.max(...latitudes)) / 2;
  const crossings = crossed(ring, latitude);
  let best = [crossings[0], crossings[1]];
  for (let at = 0; at + 1 < crossings.length; at += 2) {
    if (crossings[at + 1] - crossings[at] > best[1] - best[0]) best = [crossings[at], crossings[at + 1]];
  }
  return [round((best[0] + best[1]) / 2), round(latitude)];
}

function crossed(ring, latitude) {
  const found = [];
  for (let at = 1; at < ring.length; at++) {
    const [[x0, y0], [x1, y1]] = [ring[at - 1], ring[at]];
    if (y0 < latitude !== y1 < latitude) found.push(x0 + ((latitude - y0) / (y1 - y0)) * (x1 - x0));
  }
  return found.sort((one, other) => one - other);
}

const round = (degrees) => Math.round(degrees * 1e4) / 1e4;
