// Which places of the list there are labels for, and from which zoom on.

const GONE = new Set(["PPLCH", "PPLH", "PPLQ", "PPLW"]); // historical, abandoned, destroyed
const QUARTER = "PPLX";
const CAPITAL = "PPLC";
/** Inhabitants from which on a place is labelled at a zoom; all are at `LAST_ZOOM`. */
const LEAST_POPULATION = { 2: 5e6, 3: 2e6, 4: 5e5, 5: 1.5e5, 6: 4e4, 7: 1.2e4, 8: 4e3 };
const CAPITAL_ZOOM = 3;
const QUARTER_ZOOM = 11;
const LAST_ZOOM = 9;
/** The finest tiles there are; the browser enlarges them for the zooms beyond. */
export const TILES_ZOOM = 7;

/** Whether people live there. */
export function isStanding({ featureCode }) {
  return !GONE.has(featureCode);
}

/** The label of a place; `from` is the zoom from which on it is to be shown. */
export function townLabel({ name, featureCode, population, loc }) {
  const kind = featureCode === CAPITAL ? "capital" : featureCode === QUARTER ? "quarter" : "town";
  const from = firstZoom(kind, population);
  return {
    type: "Feature",
    properties: { name, kind, population, from },
    geometry: loc,
    tippecanoe: { minzoom: Math.min(from, TILES_ZOOM) },
  };
}

function firstZoom(kind, population) {
  if (kind === "quarter") return QUARTER_ZOOM;
  const found = Object.entries(LEAST_POPULATION).find(([, least]) => population >= least);
  const zoom = found ? Number(found[0]) : LAST_ZOOM;
  return kind === "capital" ? Math.min(zoom, CAPITAL_ZOOM) : zoom;
}
