import type { Map as MapLibre, MapMouseEvent } from "maplibre-gl";
import { METRES_A_DEGREE, radius_m, type Point } from "../cells";
import { find } from "../dom";
import { Nowhere, whereIAm } from "../here";
import { extent_m, type NamedPlace } from "../place-search";
import type { BubblePlayer } from "../player";
import { language, text } from "../texts";
import type { Ground } from "./ground";
import { addOverlay, CLUSTERS, mark, meant, NOTHING, show, SPOTS, widest_px, type Seen } from "./overlay";
import { Results, type Spot } from "./results";
import { address, around, boundsOf, corners, question, WORLD, wrapped, type Bounds, type Filters } from "./view";

const PAUSE_MS = 250;
const CLOSE_ZOOM = 15;
/** From here on one looks for streets. */
const STREETS_ZOOM = 9;
/** The tools lie on the upper edge, the sources on the lower. */
const ROOM = { top: 90, bottom: 50, left: 40, right: 40 };
const NO_ROOM = { top: 0, bottom: 0, left: 0, right: 0 };

/** The map's page: the map, the list beside it, the filters and the address, all four in step. */
export class Atlas {
  private readonly results: Results;
  private readonly form: HTMLFormElement;
  private readonly notice: HTMLElement;
  private map: MapLibre | null = null;
  private view: Bounds | null;
  private seen: Seen = NOTHING;
  private asked: AbortController | null = null;
  private timer = 0;
  private pointed: string | null = null;
  private playing: string | null = null;
  private chosen = "";
  /** What the house did not answer the last time it was asked. */
  private readonly unanswered = new Set<"map" | "list">();

  constructor(private readonly element: HTMLElement) {
    this.form = find<HTMLFormElement>("[data-filters]", element);
    this.notice = find("[data-notice]", element);
    this.view = boundsOf(element.dataset["bbox"] ?? "");
    this.results = new Results(find("[data-list]", element), {
      chosen: (spot) => this.fly(spot),
      pointed: (code) => this.point(code),
      played: (code) => this.play(code),
    });
    this.form.addEventListener("submit", (event) => this.filtered(event));
    this.form.addEventListener("change", (event) => this.filtered(event));
    this.results.section.addEventListener("click", (event) => this.widened(event));
    this.enableTools();
  }

  /** Unrolls the map; where that cannot be, says so and leaves the list. */
  async unroll(): Promise<void> {
    const { canDraw, unroll } = await import("./ground");
    if (!canDraw()) return this.say(text("map.no_webgl"));
    this.say(text("map.loading"));
    const { styleLight, styleDark } = this.element.dataset;
    await unroll(find("[data-canvas]", this.element), {
      styles: { light: styleLight ?? "", dark: styleDark ?? "" },
      label: text("map.map"),
      bounds: this.view ?? around(this.results.spots()) ?? WORLD,
      ...(this.view ? { padding: NO_ROOM } : { padding: ROOM, zoomMax: CLOSE_ZOOM - 2 }),
      lacks: (what) => this.say(text(`map.${what}`)),
      laid: (ground) => this.laid(ground),
    });
  }

  private laid(ground: Ground): void {
    const isFirst = this.map === null;
    this.map = ground.map;
    addOverlay(ground);
    this.draw();
    if (!isFirst) return;
    if (this.notice.textContent === text("map.loading")) this.say("");
    this.element.toggleAttribute("data-unrolled", true);
    this.listen(ground.map);
    find("[data-search]", this.element).textContent = text("map.search_view");
    this.sayGround(ground.map);
    void (this.view ? this.refresh() : this.look());
  }

  private listen(map: MapLibre): void {
    map.on("moveend", () => this.moved(map));
    map.on("click", (event) => this.clicked(map, event));
    for (const layer of [SPOTS, CLUSTERS]) {
      map.on("mousemove", layer, (event) => this.hovered(map, event.features?.[0]?.properties["code"] as string | undefined));
      map.on("mouseleave", layer, () => this.hovered(map, null));
    }
  }

  private hovered(map: MapLibre, code: string | null | undefined): void {
    map.getCanvas().style.cursor = code === null ? "" : "pointer";
    this.point(code ?? null);
  }

  /** The view is now what the map shows: the address says so, and the list and the map follow. */
  private moved(map: MapLibre): void {
    this.view = viewOf(map);
    this.sayGround(map);
    history.replaceState(history.state, "", address("/map", this.view, this.filters()));
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.refresh(), PAUSE_MS);
  }

  private async refresh(): Promise<void> {
    await Promise.all([this.look(), this.list()]);
    // Something may have come between the two answers.
    if (this.seen.count > 0 && this.results.isEmpty) await this.list();
  }

  private async list(): Promise<void> {
    const isAnswered = await this.results.show(address("/map/list", this.view, this.filters()));
    this.answered("list", isAnswered);
    if (isAnswered) this.tellCount();
  }

  /** Asks what lies in the view, for the map. */
  private async look(): Promise<void> {
    if (!this.map) return;
    this.asked?.abort();
    const { signal } = (this.asked = new AbortController());
    try {
      const answer = await fetch(`/api/map?${question(viewOf(this.map), this.map.getZoom(), this.filters(), Date.now())}`, { signal, credentials: "omit" });
      if (!answer.ok) throw new Error(String(answer.status));
      this.seen = (await answer.json()) as Seen;
    } catch {
      return void (signal.aborted || this.answered("map", false));
    }
    this.answered("map", true);
    this.draw();
  }

  /** What was seen before stays while the page says that no answer came. */
  private answered(what: "map" | "list", isAnswered: boolean): void {
    if (isAnswered) this.unanswered.delete(what);
    else this.unanswered.add(what);
    if (this.unanswered.size) this.say(text("map.no_answer"));
    else if (this.notice.textContent === text("map.no_answer")) this.say("");
  }

  /** What the eye sees change above the list, for those who listen to the page. */
  private tellCount(): void {
    const status = find("[data-counted]", this.element);
    const { count } = this.results;
    if (status.textContent !== count) status.textContent = count;
  }

  private draw(): void {
    if (!this.map) return;
    const short = new Intl.NumberFormat(language(), { notation: "compact" });
    show(this.map, this.seen, (count) => short.format(count));
    if (this.playing) mark(this.map, this.playing, "playing", true);
  }

  private clicked(map: MapLibre, event: MapMouseEvent): void {
    const [cluster] = map.queryRenderedFeatures(event.point, { layers: [CLUSTERS] });
    if (cluster) return this.open(map, boundsOf(String(cluster.properties["bbox"])) ?? WORLD);
    const codes = meant(map.queryRenderedFeatures(event.point, { layers: [SPOTS] }), widest_px(map) / 2 ** map.getZoom());
    const next = codes[(codes.indexOf(this.chosen) + 1) % codes.length];
    if (next) void this.select(next);
  }

  /** Goes closer to a cluster; one that no zoom takes apart is heard, bubble after bubble. */
  private open(map: MapLibre, bounds: Bounds): void {
    const isPoint = bounds.west === bounds.east && bounds.south === bounds.north;
    if (!isPoint) return void map.fitBounds(corners(bounds), { padding: ROOM, maxZoom: CLOSE_ZOOM });
    const here = this.results.spots().filter((spot) => spot.latitude === bounds.south && spot.longitude === bounds.west);
    const next = here[(here.findIndex((spot) => spot.code === this.chosen) + 1) % here.length];
    if (next) void this.select(next.code);
    else map.easeTo({ center: [bounds.west, bounds.south], zoom: Math.max(map.getZoom(), CLOSE_ZOOM) });
  }

  /** Plays a bubble that was chosen on the map, in the list. */
  private async select(code: string): Promise<void> {
    this.chosen = code;
    const spot = await this.results.find(code);
    if (!spot) return;
    this.results.choose(spot);
    this.point(code);
    spot.element.scrollIntoView({ block: "nearest" });
    void spot.element.querySelector<BubblePlayer>("bubble-player")?.playFrom(0);
  }

  private fly(spot: Spot): void {
    this.chosen = spot.code;
    this.results.choose(spot);
    this.go(boundsAround(spot, Math.max(spot.radius_m, 200) * 2));
    this.point(spot.code);
  }

  /** Shows a part of the earth: on the map, or where there is none in the list. */
  private go(bounds: Bounds): void {
    if (this.map) return void this.map.fitBounds(corners(bounds), { padding: ROOM });
    this.view = bounds;
    history.replaceState(history.state, "", address("/map", bounds, this.filters()));
    void this.list();
  }

  private point(code: string | null): void {
    if (this.map && this.pointed) mark(this.map, this.pointed, "focus", false);
    if (this.map && code) mark(this.map, code, "focus", true);
    this.pointed = code;
  }

  private play(code: string | null): void {
    if (this.map && this.playing) mark(this.map, this.playing, "playing", false);
    if (this.map && code) mark(this.map, code, "playing", true);
    this.playing = code;
  }

  private filters(): Filters {
    return Array.from(new FormData(this.form), ([name, value]) => [name, String(value)] as const);
  }

  private filtered(event: Event): void {
    event.preventDefault();
    history.replaceState(history.state, "", address("/map", this.view, this.filters()));
    void this.refresh();
  }

  private widened(event: Event): void {
    if (!(event.target as HTMLElement).closest("[data-everywhere]") || !this.map) return;
    event.preventDefault();
    this.map.fitBounds(corners({ ...WORLD, south: -60, north: 75 }));
  }

  private enableTools(): void {
    find(".map-tools", this.element).hidden = false;
    find("[data-here]", this.element).addEventListener("click", () => void this.goHere());
    this.element.addEventListener("place-chosen", (event) => {
      const place = (event as CustomEvent<NamedPlace>).detail;
      this.go(boundsAround(place, extent_m(place)));
    });
  }

  private async goHere(): Promise<void> {
    this.say(text("picker.locating"));
    try {
      const here = await whereIAm("neighbourhood");
      this.say("");
      this.go(boundsAround(here, radius_m(here, "neighbourhood") * 2));
    } catch (error) {
      if (!(error instanceof Nowhere)) throw error;
      this.say(text(`picker.${error.reason}`));
    }
  }

  /** Our own map has no streets; where they would be looked for, it says so. */
  private sayGround(map: MapLibre): void {
    find("[data-streetless]", this.element).hidden = map.getSource("basemap") === undefined || map.getZoom() < STREETS_ZOOM;
  }

  private say(words: string): void {
    this.notice.textContent = words;
  }
}

function viewOf(map: MapLibre): Bounds {
  const bounds = map.getBounds();
  return wrapped({ west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth() });
}

function boundsAround({ latitude, longitude }: Point, radius_m: number): Bounds {
  const high = radius_m / METRES_A_DEGREE;
  const wide = high / Math.max(Math.cos((latitude * Math.PI) / 180), 0.01);
  return wrapped({ west: longitude - wide, east: longitude + wide, south: latitude - high, north: latitude + high });
}
