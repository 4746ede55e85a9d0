import type { Point } from "../cells";
import { language, text } from "../texts";
import { whereabouts, type Around } from "./around";
import type { Voice } from "./queue";

/** About how far, as people say it: `120 m`, `1.4 km`. */
export function distance(away_m: number): string {
  const number = new Intl.NumberFormat(language(), { maximumSignificantDigits: 2, useGrouping: true });
  if (away_m < 995) return text("walk.metres", { count: number.format(away_m) });
  return text("walk.kilometres", { count: number.format(away_m / 1000) });
}

/** Where a voice is, seen from here; nothing where that is not known. */
export function toldPlace(voice: Voice, here: Point | null): string {
  const at = whereabouts(here, voice);
  if (!at) return "";
  return at.away_m === 0 ? text("walk.here") : text("walk.away", { distance: distance(at.away_m), direction: text(`walk.${at.wind}`) });
}

/** A voice and where it is, as it is announced. */
export function told(voice: Voice, here: Point | null): string {
  const title = voice.title || text("walk.untitled", { channel: voice.channel.title });
  const where = toldPlace(voice, here);
  return where ? text("walk.now", { title, where }) : title;
}

/** What lies around, in a sentence, where it is not simply near. */
export function toldAround(around: Around | null, here: Point | null): string {
  if (around?.kind === "within") return text("walk.within", { count: around.voices.length, distance: distance(around.reach_m) });
  const [first] = around?.voices ?? [];
  const at = first && whereabouts(here, first);
  if (around?.kind === "far" && at) return text("walk.far", { distance: distance(at.away_m), direction: text(`walk.${at.wind}`) });
  return around?.kind === "anywhere" && here ? text("walk.anywhere") : "";
}
