/** A rectangle of the map in degrees; `west` lies east of `east` when it crosses the antimeridian. */
export interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** What narrows the map beside its view, as the form has it: names and values, in order. */
export type Filters = readonly (readonly [string, string])[];

export const WORLD: Bounds = { west: -180, south: -90, east: 180, north: 90 };
/** Of a degree, in an address: a metre. */
const DECIMALS = 5;
const PERIODS_S = new Map([["day", 86_400], ["week", 604_800], ["month", 2_678_400], ["year", 31_622_400]]);
const HOUR_MS = 3_600_000;

/** The rectangle that `west,south,east,north` says, or null for what is none. */
export function boundsOf(written: string): Bounds | null {
  const numbers = written.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (numbers.length !== 4 || !numbers.every(Number.isFinite)) return null;
  const [west, south, east, north] = numbers as [number, number, number, number];
  const isOnEarth = Math.abs(west) <= 180 && Math.abs(east) <= 180 && Math.abs(south) <= 90 && Math.abs(north) <= 90;
  return isOnEarth && south <= north ? { west, south, east, north } : null;
}

/** As it stands in an address. */
export function written({ west, south, east, north }: Bounds): string {
  return [west, south, east, north].map((degrees) => String(Number(degrees.toFixed(DECIMALS)))).join(",");
}

/** A view as the map tells it, its world without end: brought back onto the one earth there is. */
export function wrapped({ west, south, east, north }: Bounds): Bounds {
  const latitudes = { south: Math.max(south, -90), north: Math.min(north, 90) };
  if (east - west >= 360) return { ...WORLD, ...latitudes };
  return { west: onEarth(west), east: onEarth(east), ...latitudes };
}

/** The same for the map: its east is always further than its west. */
export function unwrapped(bounds: Bounds): Bounds {
  return bounds.west > bounds.east ? { ...bounds, east: bounds.east + 360 } : bounds;
}

/** South-west and north-east, as longitude and latitude. */
export function corners(bounds: Bounds): [[number, number], [number, number]] {
  const { west, south, east, north } = unwrapped(bounds);
  return [[west, south], [east, north]];
}

/** The smallest rectangle around points, across the antimeridian where that is shorter; null around none. */
export function around(points: readonly { latitude: number; longitude: number }[]): Bounds | null {
  if (points.length === 0) return null;
  const latitudes = points.map((point) => point.latitude);
  const longitudes = [...new Set(points.map((point) => point.longitude))].sort((a, b) => a - b);
  const { west, east } = withoutTheWidestGap(longitudes);
  return { west, east, south: Math.min(...latitudes), north: Math.max(...latitudes) };
}

/** The address of a page with this view and these filters; nobody's view is in it while there is none. */
export function address(path: string, view: Bounds | null, filters: Filters): string {
  const query = parameters(view, filters).toString();
  return query ? `${path}?${query}` : path;
}

/** What `/api/map` is asked: a period is a time there, the same for an hour. */
export function question(view: Bounds, zoom: number, filters: Filters, now_ms: number): string {
  const asked = parameters(view, filters.filter(([name]) => name !== "period"));
  const period_s = PERIODS_S.get(filters.find(([name]) => name === "period")?.[1] ?? "");
  if (period_s && !asked.has("since")) {
    const since_ms = Math.floor(now_ms / HOUR_MS) * HOUR_MS - period_s * 1000;
    asked.set("since", new Date(since_ms).toISOString());
  }
  asked.set("zoom", zoom.toFixed(2));
  return asked.toString();
}

function parameters(view: Bounds | null, filters: Filters): URLSearchParams {
  const asked = new URLSearchParams();
  for (const [name, value] of filters) if (value.trim() && name !== "bbox") asked.append(name, value.trim());
  if (view) asked.set("bbox", written(view));
  return asked;
}

function onEarth(longitude: number): number {
  return longitude >= -180 && longitude <= 180 ? longitude : ((((longitude + 180) % 360) + 360) % 360) - 180;
}

/** `sorted` longitudes begin after the widest gap between two neighbours on the circle. */
function withoutTheWidestGap(sorted: number[]): { west: number; east: number } {
  const gaps = sorted.map((longitude, index) => (sorted[index + 1] ?? (sorted[0] as number) + 360) - longitude);
  const before = gaps.indexOf(Math.max(...gaps));
  return { west: sorted[(before + 1) % sorted.length] as number, east: sorted[before] as number };
}
