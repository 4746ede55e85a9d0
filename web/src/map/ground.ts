import { addProtocol, AttributionControl, Map as MapLibre, NavigationControl, setWorkerUrl, type PaddingOptions, type StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { Protocol } from "pmtiles";
import { text } from "../texts";
import { corners, type Bounds } from "./view";

/** What the map lies on could not be had: the style, or the tiles that it names. */
export type Lacking = "no_style" | "no_tiles";

export interface Ground {
  readonly map: MapLibre;
  /** The colour of a token of the design, as the page shows it at this moment. */
  readonly colour: (token: string) => string;
  /** The typeface of the page, which the browser has. */
  readonly face: string;
}

export interface Wishes {
  readonly styles: Readonly<Record<"light" | "dark", string>>;
  readonly bounds: Bounds;
  /** What the map is called, for those who do not see it. */
  readonly label: string;
  readonly zoomMax?: number;
  /** What stays free at the edges at first, in pixels. */
  readonly padding?: PaddingOptions;
  /** Called once for each thing that is lacking. */
  readonly lacks: (what: Lacking) => void;
  /** Called whenever the ground lies anew: at first, and when the theme changes. */
  readonly laid: (ground: Ground) => void;
}

const DARK = "(prefers-color-scheme: dark)";
const ZOOM_MAX = 17;

/** Whether this browser can draw a map at all. */
export function canDraw(): boolean {
  try {
    return document.createElement("canvas").getContext("webgl2") !== null;
  } catch {
    return false;
  }
}

/** A map in an element, flat and with north above. Its style is fetched here, so that bubbles stand without one too. */
export async function unroll(container: HTMLElement, wishes: Wishes): Promise<Ground> {
  prepare();
  container.classList.add("ground");
  const map = new MapLibre({
    container,
    style: await styleNow(wishes),
    bounds: corners(wishes.bounds),
    fitBoundsOptions: { padding: wishes.padding ?? 24, maxZoom: wishes.zoomMax ?? ZOOM_MAX },
    maxZoom: ZOOM_MAX,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    rollEnabled: false,
    fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200,
    locale: names(wishes.label),
  });
  flatten(map);
  const ground = { map, colour: (token: string) => colourOf(container, token), face: faceOf(container) };
  watch(ground, wishes);
  return ground;
}

let isPrepared = false;

function prepare(): void {
  if (isPrepared) return;
  setWorkerUrl(workerUrl);
  addProtocol("pmtiles", new Protocol().tile);
  isPrepared = true;
}

function flatten(map: MapLibre): void {
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
  map.addControl(new AttributionControl({ compact: false }), "bottom-left");
}

function watch(ground: Ground, wishes: Wishes): void {
  const { map } = ground;
  let hasTold = false;
  map.on("error", ({ error }) => {
    console.warn(error.message);
    if (!hasTold) wishes.lacks("no_tiles");
    hasTold = true;
  });
  map.on("style.load", () => wishes.laid(ground));
  if (map.isStyleLoaded()) wishes.laid(ground);
  matchMedia(DARK).addEventListener("change", () => {
    void styleNow(wishes).then((style) => map.setStyle(style, { diff: false }));
  });
}

function theme(): "light" | "dark" {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : matchMedia(DARK).matches ? "dark" : "light";
}

async function styleNow({ styles, lacks }: Wishes): Promise<StyleSpecification> {
  try {
    const answer = await fetch(styles[theme()]);
    if (answer.ok) return (await answer.json()) as StyleSpecification;
  } catch {
    // Offline, or a style from elsewhere that does not answer.
  }
  lacks("no_style");
  return { version: 8, sources: {}, layers: [] };
}

/** Resolved by the browser: a token may hold both themes. */
function colourOf(container: HTMLElement, token: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(--${token})`;
  container.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function faceOf(container: HTMLElement): string {
  const [first = ""] = getComputedStyle(container).fontFamily.split(",");
  return first.trim().replace(/["']/g, "");
}

function names(label: string): Record<string, string> {
  return {
    "Map.Title": label,
    "NavigationControl.ZoomIn": text("map.zoom_in"),
    "NavigationControl.ZoomOut": text("map.zoom_out"),
    "AttributionControl.ToggleAttribution": text("map.sources"),
  };
}
