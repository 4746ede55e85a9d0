import { distance_m, type Point } from "../cells";
import type { Voice } from "./queue";

/** How far is looked, step by step, in metres. */
export const REACHES_M = [200, 1_000, 5_000, 20_000] as const;
const PER_PAGE = 50;
/** A walk that has heard five hundred voices at one place has heard enough of it. */
const PAGES_MAX = 10;

/** What lies around: within a reach, nearest but further away, or from anywhere. */
export type Around =
  | { readonly kind: "within"; readonly reach_m: number; readonly voices: readonly Voice[] }
  | { readonly kind: "far" | "anywhere" | "nothing"; readonly voices: readonly Voice[] };

export type Answer = { readonly items: readonly Voice[]; readonly next: string | null };
export type Ask = (query: URLSearchParams) => Promise<Answer>;

/**
 * The voices around a point that were not heard, looked for ever wider; without a point, or when nothing on earth has a
 * place, the newest. Raises what `ask` raises.
 */
export async function lookAround(ask: Ask, here: Point | null, isHeard: (code: string) => boolean): Promise<Around> {
  if (here) {
    const near = `${here.latitude},${here.longitude}`;
    for (const reach_m of REACHES_M) {
      const voices = await unheard(ask, { near, radius_m: String(reach_m), sort: "nearest" }, isHeard);
      if (voices.length) return { kind: "within", reach_m, voices };
    }
    const voices = await unheard(ask, { near, sort: "nearest" }, isHeard);
    if (voices.length) return { kind: "far", voices };
  }
  const voices = await unheard(ask, { sort: "newest" }, isHeard);
  return { kind: voices.length ? "anywhere" : "nothing", voices };
}

async function unheard(ask: Ask, query: Record<string, string>, isHeard: (code: string) => boolean): Promise<Voice[]> {
  let cursor: string | null = "";
  for (let page = 0; page < PAGES_MAX && cursor !== null; page += 1) {
    const asked: URLSearchParams = new URLSearchParams({ ...query, limit: String(PER_PAGE), ...(cursor ? { cursor } : {}) });
    const answer: Answer = await ask(asked);
    const found = answer.items.filter((voice) => !isHeard(voice.code) && voice.renditions.length > 0);
    if (found.length) return found;
    cursor = answer.next;
  }
  return [];
}

export const WINDS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;
export type Wind = (typeof WINDS)[number];

/** In which direction another point lies, in degrees from north, clockwise. */
export function bearing(from: Point, to: Point): number {
  const [a, b] = [radians(from.latitude), radians(to.latitude)];
  const across = radians(to.longitude - from.longitude);
  const east = Math.sin(across) * Math.cos(b);
  const north = Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(across);
  return ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
}

/** The nearest of the eight winds. */
export function wind(degrees: number): Wind {
  return WINDS[Math.round(degrees / 45) % WINDS.length] as Wind;
}

/** Where a voice is, as it can be told: null for what has no place, a distance of 0 for what is all around. */
export function whereabouts(here: Point | null, voice: Voice): { away_m: number; wind: Wind } | null {
  if (!here || !voice.place) return null;
  const away_m = distance_m(here, voice.place);
  return { away_m: away_m <= voice.place.radius_m ? 0 : away_m, wind: wind(bearing(here, voice.place)) };
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
