import type { Feature, FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { cellOf, radius_m, ring, type Point, type Precision } from "../cells";
import type { Ground } from "./ground";
import { radius, radiusAtZoom0_px } from "./overlay";

const ID = "picked";

/** The layers of a place that is picked: its cell and its bubble as others will see them, and the point for its author. */
export function addPicked({ map, colour }: Ground): void {
  const [bubble, ink, sheet] = ["bubble", "ink", "sheet"].map(colour) as [string, string, string];
  map.addSource(ID, { type: "geojson", data: collection([]) });
  map.addLayer({ id: "picked-cell", type: "fill", source: ID, filter: is("cell"), paint: { "fill-color": bubble, "fill-opacity": 0.12 } });
  map.addLayer({
    id: "picked-edge", type: "line", source: ID, filter: is("cell"),
    paint: { "line-color": bubble, "line-width": 2, "line-dasharray": [3, 2] },
  });
  map.addLayer({
    id: "picked-bubble", type: "circle", source: ID, filter: is("bubble"),
    paint: {
      "circle-radius": radius(), "circle-color": bubble, "circle-opacity": 0.2,
      "circle-stroke-color": bubble, "circle-stroke-width": 1.5,
    },
  });
  map.addLayer({
    id: "picked-own", type: "circle", source: ID, filter: is("own"),
    paint: { "circle-radius": 5, "circle-color": ink, "circle-stroke-color": sheet, "circle-stroke-width": 2 },
  });
}

/** Puts a place on the map, or takes it away. */
export function showPicked(map: MapLibre, point: Point | null, precision: Precision): void {
  const source = map.getSource(ID) as GeoJSONSource | undefined;
  source?.setData(collection(point && precision !== "none" ? features(point, precision) : []));
}

function features(point: Point, precision: Exclude<Precision, "none">): Feature[] {
  const own = at([point.longitude, point.latitude], { kind: "own" });
  if (precision === "exact") return [at([point.longitude, point.latitude], { kind: "bubble", radius: 0 }), own];
  const cell = cellOf(point, precision);
  const middle: [number, number] = [(cell.west + cell.east) / 2, (cell.south + cell.north) / 2];
  const radius = radiusAtZoom0_px(radius_m(point, precision), middle[1]);
  const area: Feature = { type: "Feature", geometry: { type: "Polygon", coordinates: [ring(cell)] }, properties: { kind: "cell" } };
  return [area, at(middle, { kind: "bubble", radius }), own];
}

function at(coordinates: [number, number], properties: Record<string, string | number>): Feature {
  return { type: "Feature", geometry: { type: "Point", coordinates }, properties };
}

function collection(features: Feature[]): FeatureCollection {
  return { type: "FeatureCollection", features };
}

function is(kind: string): ["==", ["get", "kind"], string] {
  return ["==", ["get", "kind"], kind];
}
