import type { Feature, FeatureCollection, GeoJsonProperties, Polygon } from "geojson";
import type { ExpressionSpecification, GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import type { Ground } from "./ground";

/** What `GET /api/map` answers. */
export interface Seen {
  readonly count: number;
  readonly features: readonly SeenFeature[];
}

export interface SeenFeature {
  readonly type: "Feature";
  readonly geometry: { readonly type: "Point"; readonly coordinates: readonly [number, number] };
  readonly properties: SeenBubble | SeenCluster;
}

export interface SeenBubble {
  readonly code: string;
  readonly title: string;
  readonly place: { readonly radius_m: number; readonly precision: string };
  readonly cell?: Polygon;
}

export interface SeenCluster {
  readonly cluster: true;
  readonly count: number;
  readonly bbox: [number, number, number, number];
  readonly cell?: Polygon;
}

export const SPOTS = "spots";
export const CLUSTERS = "clusters";
const CELLS = "cells";
export const NOTHING: Seen = { count: 0, features: [] };

/** Metres of a pixel at zoom 0 on the equator; the world is 512 pixels wide there. */
const METRES_A_PIXEL = 78_271.517;
/** What a finger finds: the smallest radius of a bubble, in pixels. */
const RADIUS_MIN_PX = 9;
const ZOOM_MAX = 18;

/** The layers of the bubbles, on ground that was just laid. */
export function addOverlay({ map, colour, face }: Ground): void {
  for (const id of [CELLS, SPOTS, CLUSTERS]) {
    if (!map.getSource(id)) map.addSource(id, { type: "geojson", data: collection([]), promoteId: "code" });
  }
  const [bubble, signal, ink, sheet] = ["bubble", "signal", "ink", "sheet"].map(colour) as [string, string, string, string];
  const live = when("playing", signal, bubble);
  map.addLayer({
    id: SPOTS, type: "circle", source: SPOTS,
    // The smaller ones lie above: a finger and a pointer find them first.
    layout: { "circle-sort-key": ["-", 0, ["get", "radius"]] },
    paint: {
      "circle-radius": radius(),
      "circle-color": live,
      "circle-opacity": fill(widest_px(map)),
      "circle-stroke-color": live,
      "circle-stroke-width": when("focus", 3, when("playing", 3, 1.5)),
      "circle-stroke-opacity": 0.9,
    },
  });
  map.addLayer({
    id: CELLS, type: "line", source: CELLS,
    paint: { "line-color": live, "line-width": 2, "line-dasharray": [3, 2], "line-opacity": when("focus", 1, when("playing", 1, 0)) },
  });
  map.addLayer({
    id: CLUSTERS, type: "circle", source: CLUSTERS,
    paint: {
      "circle-radius": ["+", 13, ["*", 9, ["log10", ["get", "count"]]]],
      "circle-color": bubble,
      "circle-opacity": 0.3,
      "circle-stroke-color": bubble,
      "circle-stroke-width": 1.5,
    },
  });
  map.addLayer({
    id: "counts", type: "symbol", source: CLUSTERS,
    layout: {
      "text-field": ["get", "label"], "text-font": [face], "text-size": 17,
      "text-allow-overlap": true,
    },
    paint: { "text-color": ink, "text-halo-color": sheet, "text-halo-width": 1.2 },
  });
}

/** Puts what was answered on the map. */
export function show(map: MapLibre, seen: Seen, label: (count: number) => string): void {
  const spots = seen.features.filter((each) => !("cluster" in each.properties));
  const clusters = seen.features.filter((each) => "cluster" in each.properties);
  source(map, SPOTS)?.setData(collection(spots.map(spot)));
  source(map, CELLS)?.setData(collection(spots.flatMap(cell)));
  source(map, CLUSTERS)?.setData(collection(clusters.map((each) => cluster(each, label))));
}

/** Says of a bubble that it has the focus, or plays. */
export function mark(map: MapLibre, code: string, state: "focus" | "playing", on: boolean): void {
  for (const id of [SPOTS, CELLS]) if (map.getSource(id)) map.setFeatureState({ source: id, id: code }, { [state]: on });
}

/** How wide a circle of so many metres is at zoom 0, in pixels. */
export function radiusAtZoom0_px(radius_m: number, latitude: number): number {
  return radius_m / (METRES_A_PIXEL * Math.max(Math.cos((latitude * Math.PI) / 180), 1e-6));
}

function spot(feature: SeenFeature): Feature {
  const { code, place } = feature.properties as SeenBubble;
  const [longitude, latitude] = feature.geometry.coordinates;
  return point([longitude, latitude], { code, radius: radiusAtZoom0_px(place.radius_m, latitude) });
}

function cell(feature: SeenFeature): Feature[] {
  const { code, cell } = feature.properties as SeenBubble;
  return cell ? [{ type: "Feature", geometry: cell, properties: { code } }] : [];
}

function cluster({ geometry, properties }: SeenFeature, label: (count: number) => string): Feature {
  const { count, bbox } = properties as SeenCluster;
  return point([...geometry.coordinates], { count, label: label(count), bbox: bbox.join(",") });
}

function point(coordinates: [number, number], properties: GeoJsonProperties): Feature {
  return { type: "Feature", geometry: { type: "Point", coordinates }, properties };
}

function collection(features: Feature[]): FeatureCollection {
  return { type: "FeatureCollection", features };
}

function source(map: MapLibre, id: string): GeoJSONSource | undefined {
  return map.getSource(id) as GeoJSONSource | undefined;
}

/** As many pixels as its metres are, doubling with each zoom, and never fewer than a finger finds. */
export function radius(): ExpressionSpecification {
  const stops = Array.from({ length: ZOOM_MAX + 1 }, (_, zoom) => [zoom, ["max", RADIUS_MIN_PX, ["*", ["get", "radius"], 2 ** zoom]]]);
  return ["interpolate", ["exponential", 2], ["zoom"], ...stops.flat()] as ExpressionSpecification;
}

/** The widest radius, in pixels, that a bubble is seen with as a whole: half the view. */
export function widest_px(map: MapLibre): number {
  const { clientWidth, clientHeight } = map.getContainer();
  return Math.min(clientWidth, clientHeight) / 2;
}

/** A bubble wider than that would tint all there is to see: only its outline stays. */
export function fill(widest_px: number): ExpressionSpecification {
  const tint = when("playing", 0.3, when("focus", 0.34, 0.2));
  const stops = Array.from({ length: ZOOM_MAX + 1 }, (_, zoom) => [zoom, ["case", [">", ["get", "radius"], widest_px / 2 ** zoom], 0, tint]]);
  return ["interpolate", ["linear"], ["zoom"], ...stops.flat()] as ExpressionSpecification;
}

/** The codes of what lies under a finger, the smallest first: that was meant, and none that reaches beyond the view beside it. */
export function meant(features: readonly Feature[], widestAtZoom0_px: number): string[] {
  const sizes = new Map(features.map(({ properties }) => [String(properties?.["code"]), Number(properties?.["radius"])]));
  const sorted = [...sizes].sort(([, a], [, b]) => a - b);
  const whole = sorted.filter(([, radius]) => radius <= widestAtZoom0_px);
  return (whole.length ? whole : sorted).map(([code]) => code);
}

function when<Value>(state: string, then: Value, otherwise: Value | ExpressionSpecification): ExpressionSpecification {
  return ["case", ["boolean", ["feature-state", state], false], then, otherwise] as unknown as ExpressionSpecification;
}
