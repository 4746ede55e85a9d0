/**
 * How a place is blurred, the same as `bubbles/model/place.py`, so that nothing finer than its cell is kept or leaves
 * the browser. The earth is cut once into fixed cells: 2,000 town rows, 10 x 10 neighbourhoods a town, 7 x 7 streets a
 * neighbourhood.
 */

/** How much of a place is told, from all to nothing. */
export const PRECISIONS = ["exact", "street", "neighbourhood", "town", "none"] as const;
export type Precision = (typeof PRECISIONS)[number];
/** The precisions that have a cell. */
export type CellPrecision = Exclude<Precision, "exact" | "none">;

/** A point in degrees. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** A rectangle of latitudes and longitudes, in degrees. */
export interface Cell {
  readonly south: number;
  readonly west: number;
  readonly north: number;
  readonly east: number;
}

const EARTH_RADIUS_M = 6_371_008.8;
/** Of latitude: about 111,195. */
export const METRES_A_DEGREE = (EARTH_RADIUS_M * Math.PI) / 180;
const TOWN_ROWS = 2_000;
const STREETS_PER_TOWN = 70;
const STREET_ROWS = TOWN_ROWS * STREETS_PER_TOWN;
const STREETS_ACROSS: Record<CellPrecision, number> = { street: 1, neighbourhood: 7, town: STREETS_PER_TOWN };
/** Of a degree: 0.1 m. */
const EXACT_DECIMALS = 6;

/** Whether a precision tells at least as little as another. */
export function isAsCoarse(precision: Precision, than: Precision): boolean {
  return PRECISIONS.indexOf(precision) >= PRECISIONS.indexOf(than);
}

/** Whether both are finite and on the earth. */
export function isOnEarth({ latitude, longitude }: Point): boolean {
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
}

/** The point that may be kept and sent: the centre of its cell, the point itself for `exact`, null for `none`. */
export function snap(point: Point, precision: Precision): Point | null {
  if (precision === "none") return null;
  if (precision === "exact") return { latitude: rounded(point.latitude), longitude: rounded(point.longitude) };
  const cell = cellOf(point, precision);
  return { latitude: rounded((cell.south + cell.north) / 2), longitude: rounded((cell.west + cell.east) / 2) };
}

/** The cell that holds a point. */
export function cellOf({ latitude, longitude }: Point, precision: CellPrecision): Cell {
  const across = STREETS_ACROSS[precision];
  const streetRow = Math.min(Math.floor(((latitude + 90) / 180) * STREET_ROWS), STREET_ROWS - 1);
  const streetColumns = townColumns(Math.floor(streetRow / STREETS_PER_TOWN)) * STREETS_PER_TOWN;
  const streetColumn = Math.min(Math.floor(((longitude + 180) / 360) * streetColumns), streetColumns - 1);
  const height = (180 / STREET_ROWS) * across;
  const width = (360 / streetColumns) * across;
  const south = Math.floor(streetRow / across) * height - 90;
  const west = Math.floor(streetColumn / across) * width - 180;
  return { south, west, north: Math.min(south + height, 90), east: Math.min(west + width, 180) };
}

/** Half the diagonal of a precision's cell around a point, in metres; 0 for `exact` and `none`. */
export function radius_m(point: Point, precision: Precision): number {
  if (precision === "exact" || precision === "none") return 0;
  const { south, west, north, east } = cellOf(point, precision);
  return distance_m({ latitude: south, longitude: west }, { latitude: north, longitude: east }) / 2;
}

/** Metres along the great circle (haversine, spherical earth). */
export function distance_m(from: Point, to: Point): number {
  const a = radians(from.latitude);
  const b = radians(to.latitude);
  const across = radians(to.longitude - from.longitude);
  const h = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(across / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The closed, counter-clockwise ring of a GeoJSON polygon: `[longitude, latitude]` pairs. */
export function ring({ south, west, north, east }: Cell): [number, number][] {
  return [[west, south], [east, south], [east, north], [west, north], [west, south]];
}

/** How many town cells go around the earth in a row: as wide as high at the row's middle. */
function townColumns(townRow: number): number {
  const middle = radians(((townRow + 0.5) * 180) / TOWN_ROWS - 90);
  return Math.max(1, Math.round(2 * TOWN_ROWS * Math.cos(middle)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function rounded(degrees: number): number {
  return Number(degrees.toFixed(EXACT_DECIMALS));
}
