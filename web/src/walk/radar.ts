import { distance_m, type Point } from "../cells";
import { svg } from "../dom";
import { bearing } from "./around";
import type { Voice } from "./queue";

const SIZE = 320;
const MIDDLE = SIZE / 2;
/** Of the drawing: where the outermost ring is, in units. */
const RIM = 146;
const RINGS = [1 / 3, 2 / 3, 1];
const RADIUS_MIN = 5;
const DRAWN_MAX = 50;

/** Draws what lies around on rings of distance, north above; `playing` is the one that is heard. For the eye only. */
export function drawRadar(box: HTMLElement, here: Point | null, voices: readonly Voice[], reach_m: number, playing: string): void {
  const drawing = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, "aria-hidden": "true", focusable: "false" });
  for (const part of RINGS) drawing.append(svg("circle", { class: "ring", cx: MIDDLE, cy: MIDDLE, r: RIM * part }));
  drawing.append(svg("path", { class: "ring", d: `M${MIDDLE} ${MIDDLE - RIM}v${2 * RIM}M${MIDDLE - RIM} ${MIDDLE}h${2 * RIM}` }));
  const placed = here ? voices.slice(0, DRAWN_MAX) : [];
  for (const voice of placed) if (voice.place && here) drawing.append(bubble(here, voice, reach_m, voice.code === playing));
  drawing.append(svg("circle", { class: here ? "self" : "lost", cx: MIDDLE, cy: MIDDLE, r: 7 }));
  box.replaceChildren(drawing);
}

function bubble(here: Point, { place, code }: Voice, reach_m: number, isPlaying: boolean): SVGElement {
  const at = place as NonNullable<Voice["place"]>;
  const away = Math.min(distance_m(here, at) / reach_m, 1) * RIM;
  const angle = (bearing(here, at) * Math.PI) / 180;
  const radius = Math.min(Math.max((at.radius_m / reach_m) * RIM, RADIUS_MIN), RIM / 2);
  return svg("circle", {
    class: isPlaying ? "playing" : "voice",
    "data-code": code,
    cx: (MIDDLE + Math.sin(angle) * away).toFixed(1),
    cy: (MIDDLE - Math.cos(angle) * away).toFixed(1),
    r: radius.toFixed(1),
  });
}
