import { cellOf, type CellPrecision, type Point, type Precision } from "./cells";

/** North and east, in cells. */
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [1, 0],
  ArrowDown: [-1, 0],
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
};
/** An exact place goes by a tenth of a street: 15 m. */
const EXACT_PART = 0.1;
/** So that a step from the middle of the last cell stays on the earth. */
const LATITUDE_MAX = 89.9;

/** The point so many cells further, by an arrow key; null for any other key. */
export function stepped(from: Point, precision: Precision, key: string, count: number): Point | null {
  const step = Object.hasOwn(STEPS, key) ? STEPS[key] : undefined;
  if (!step) return null;
  const isExact = precision === "exact" || precision === "none";
  const cell = cellOf(from, isExact ? "street" : (precision as CellPrecision));
  const part = (isExact ? EXACT_PART : 1) * count;
  const latitude = from.latitude + step[0] * (cell.north - cell.south) * part;
  const longitude = from.longitude + step[1] * (cell.east - cell.west) * part;
  return { latitude: Math.max(-LATITUDE_MAX, Math.min(latitude, LATITUDE_MAX)), longitude: around(longitude) };
}

function around(longitude: number): number {
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}
