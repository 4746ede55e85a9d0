import { cellOf, distance_m, METRES_A_DEGREE, radius_m, type Point, type Precision } from "../cells";
import { svg } from "../dom";

const WIDTH = 320;
const HEIGHT = 200;
const CELLS_HIGH = 2.4;
const EXACT_VIEW_M = 300;
const EXACT_RADIUS = 12;
/** At the poles cells become slivers; lines stay this far apart. */
const LINE_GAP_MIN = 6;

/** The cell that others will see on a sheet of graph paper, its bubble, and for the author alone where in it they are. */
export function sketch(drawing: SVGElement, point: Point, precision: Precision, isKnownExactly: boolean): void {
  const isExact = precision === "exact" || precision === "none";
  const cell = isExact ? around(point) : cellOf(point, precision);
  const high_m = (cell.north - cell.south) * METRES_A_DEGREE;
  const wide_m = distance_m(
    { latitude: point.latitude, longitude: cell.west },
    { latitude: point.latitude, longitude: cell.east },
  );
  const per_m = HEIGHT / (isExact ? EXACT_VIEW_M : high_m * CELLS_HIGH);
  const [across, high] = [wide_m * per_m, high_m * per_m];
  const [left, top] = [(WIDTH - across) / 2, (HEIGHT - high) / 2];
  const parts = [svg("path", { class: "rules", d: rules(left, across, top, high) })];
  if (!isExact) parts.push(svg("rect", { class: "cell", x: left, y: top, width: across, height: high }));
  const radius = radius_m(point, precision) * per_m || EXACT_RADIUS;
  parts.push(svg("circle", { class: "bubble", cx: WIDTH / 2, cy: HEIGHT / 2, r: radius }));
  if (isExact || isKnownExactly) {
    const cx = left + ((point.longitude - cell.west) / (cell.east - cell.west)) * across;
    const cy = top + ((cell.north - point.latitude) / (cell.north - cell.south)) * high;
    parts.push(svg("circle", { class: "own", cx, cy, r: 4 }));
  }
  drawing.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  drawing.replaceChildren(...parts);
}

/** A square of a third of the view around a point that is told exactly. */
function around({ latitude, longitude }: Point) {
  const half = EXACT_VIEW_M / 6 / METRES_A_DEGREE;
  const wide = half / Math.max(Math.cos((latitude * Math.PI) / 180), 1e-6);
  return { south: latitude - half, north: latitude + half, west: longitude - wide, east: longitude + wide };
}

function rules(left: number, across: number, top: number, high: number): string {
  const columns = borders(left, across, WIDTH).map((x) => `M${x.toFixed(1)} 0V${HEIGHT}`);
  const rows = borders(top, high, HEIGHT).map((y) => `M0 ${y.toFixed(1)}H${WIDTH}`);
  return [...columns, ...rows].join("");
}

function borders(from: number, wish: number, extent: number): number[] {
  const step = Math.max(wish, LINE_GAP_MIN);
  const first = ((from % step) + step) % step;
  return Array.from({ length: Math.max(Math.ceil((extent - first) / step), 0) }, (_, number) => first + number * step);
}
