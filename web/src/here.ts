import { snap, type CellPrecision, type Point } from "./cells";

/** Why nobody knows where we are; each has a text of its own. */
export type Unknown = "denied" | "unavailable" | "insecure";

/** Longer ago than this, a position is asked for anew. */
const AGE_MAX_MS = 60_000;
const PATIENCE_MS = 20_000;

/** Raised instead of a position. */
export class Nowhere extends Error {
  constructor(readonly reason: Unknown) {
    super(reason);
  }
}

/** The centre of the cell where this device is. Nothing finer leaves this function. Raises `Nowhere`. */
export async function whereIAm(precision: CellPrecision): Promise<Point> {
  return new Promise((found, lost) => {
    if (!canTell()) return lost(new Nowhere("insecure"));
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => found(coarse(coords, precision)),
      (error) => lost(new Nowhere(reasonOf(error))),
      { maximumAge: AGE_MAX_MS, timeout: PATIENCE_MS },
    );
  });
}

/** Tells the centre of the cell where this device is, whenever it enters another; `stop` ends it. */
export function follow(precision: CellPrecision, moved: (to: Point) => void, lost: (why: Unknown) => void): () => void {
  if (!canTell()) {
    lost("insecure");
    return () => {};
  }
  let last = "";
  const watch = navigator.geolocation.watchPosition(
    ({ coords }) => {
      const at = coarse(coords, precision);
      const cell = `${at.latitude},${at.longitude}`;
      if (cell !== last) moved(at);
      last = cell;
    },
    (error) => lost(reasonOf(error)),
    { enableHighAccuracy: true, maximumAge: AGE_MAX_MS },
  );
  return () => navigator.geolocation.clearWatch(watch);
}

function canTell(): boolean {
  return isSecureContext && "geolocation" in navigator;
}

function coarse({ latitude, longitude }: GeolocationCoordinates, precision: CellPrecision): Point {
  return snap({ latitude, longitude }, precision) as Point;
}

function reasonOf(error: GeolocationPositionError): Unknown {
  return error.code === error.PERMISSION_DENIED ? "denied" : "unavailable";
}
