import type { Map as MapLibre } from "maplibre-gl";
import { cellOf, isOnEarth, PRECISIONS, snap, type Cell, type CellPrecision, type Point, type Precision } from "./cells";
import { svg } from "./dom";
import { WORLD, type Bounds } from "./map/view";
import { stepped } from "./picking";
import { sketch } from "./record/sketch";
import { text } from "./texts";

/** Where a point is to be seen, some cells around it are. */
const CELLS_AROUND = 1.2;
const ZOOM_STEPS: Readonly<Record<string, number>> = { "+": 1, "=": 1, "-": -1 };

/**
 * A map on which a place is set by a finger or by the arrow keys, with the cell that others will see. It is rolled out
 * once it comes into sight. Where no map can be drawn, a sheet of graph paper shows the cell.
 *
 * Attributes: `latitude`, `longitude`, `precision`; `style-light`, `style-dark`: addresses of the map's styles; `fields`:
 * ids of inputs of latitude, longitude and precision that are kept in step. Properties `point` and `precision`. Event
 * `change`, with the point in `detail`, when a person sets the place. What fields are given is snapped to the cell of the
 * precision; the point itself stays in this object.
 */
export class PlacePicker extends HTMLElement {
  static readonly observedAttributes = ["latitude", "longitude", "precision"];

  private sheet: HTMLElement | null = null;
  private status: HTMLElement | null = null;
  private map: MapLibre | null = null;
  private redraw: () => void = () => {};
  private at: Point | null = null;
  private how: Precision = "neighbourhood";
  private isUnrolling = false;
  /** Whether the place was set on this page: only then is there anything to be sent. */
  private isSet = false;

  connectedCallback(): void {
    if (this.sheet) return;
    this.sheet = document.createElement("div");
    this.sheet.classList.add("picker-sheet", "streets");
    this.status = document.createElement("p");
    this.status.className = "hint";
    this.status.setAttribute("role", "status");
    this.append(this.sheet, this.status);
    this.readAttributes();
    this.joinFields();
    this.sheet.addEventListener("keydown", (event) => this.pressed(event), true);
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      void this.unroll();
    });
    seen.observe(this.sheet);
    this.show();
  }

  attributeChangedCallback(): void {
    if (!this.sheet) return;
    this.readAttributes();
    this.show();
  }

  get point(): Point | null {
    return this.at;
  }

  set point(point: Point | null) {
    const isNew = point !== null && this.at === null;
    this.at = point && { latitude: point.latitude, longitude: point.longitude };
    this.show();
    if (isNew || !this.isInSight()) this.look();
  }

  get precision(): Precision {
    return this.how;
  }

  set precision(precision: Precision | undefined) {
    if (!precision || precision === this.how) return;
    this.how = precision;
    this.show();
    this.look();
    this.writeFields();
  }

  private readAttributes(): void {
    const point = pointOf(this.getAttribute("latitude"), this.getAttribute("longitude"));
    if (point) this.at = point;
    this.how = precisionOf(this.getAttribute("precision")) ?? this.how;
  }

  /** What a person does: told to everyone who listens. */
  private put(point: Point): void {
    this.at = { latitude: rounded(point.latitude), longitude: rounded(point.longitude) };
    this.isSet = true;
    this.show();
    this.writeFields();
    this.dispatchEvent(new CustomEvent("change", { detail: this.at, bubbles: true }));
  }

  private async unroll(): Promise<void> {
    if (this.isUnrolling || !this.sheet) return;
    this.isUnrolling = true;
    const [{ canDraw, unroll }, { addPicked, showPicked }] = await Promise.all([import("./map/ground"), import("./map/picked")]);
    if (!canDraw()) return this.sketchInstead();
    const styles = { light: this.getAttribute("style-light") ?? "", dark: this.getAttribute("style-dark") ?? "" };
    const ground = await unroll(this.sheet, {
      styles,
      bounds: this.bounds() ?? WORLD,
      label: text("picker.map"),
      lacks: () => {},
      laid: (ground) => {
        addPicked(ground);
        this.redraw = () => showPicked(ground.map, this.at, this.how);
        this.redraw();
      },
    });
    this.map = ground.map;
    ground.map.keyboard.disable();
    ground.map.on("click", ({ lngLat }) => this.put({ latitude: lngLat.lat, longitude: lngLat.wrap().lng }));
    this.look();
  }

  private sketchInstead(): void {
    const drawing = svg("svg", { class: "picker-sketch", "aria-hidden": "true" });
    this.sheet?.replaceChildren(drawing);
    this.redraw = () => (this.at ? sketch(drawing, this.at, this.how, true) : drawing.replaceChildren());
    this.redraw();
  }

  private pressed(event: KeyboardEvent): void {
    if (!this.map || event.ctrlKey || event.metaKey || event.altKey) return;
    const zooms = ZOOM_STEPS[event.key];
    const middle = this.map.getCenter().wrap();
    const from = this.at ?? { latitude: middle.lat, longitude: middle.lng };
    const to = stepped(from, this.how, event.key, event.shiftKey ? 10 : 1);
    if (zooms) this.map.zoomTo(this.map.getZoom() + zooms);
    else if (to) this.put(to);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (to && !this.isInSight()) this.look();
  }

  private show(): void {
    this.redraw();
    if (!this.status) return;
    this.status.textContent = text(this.at ? `picker.shown_${this.how}` : "picker.nowhere");
  }

  /** The view is that of the cell, so that a map that is loaded from elsewhere tells no more than the cell either. */
  private look(): void {
    const bounds = this.bounds();
    if (!this.map || !bounds) return;
    const { west, south, east, north } = bounds;
    this.map.fitBounds([[west, south], [east, north]], { animate: false });
  }

  private bounds(): Bounds | null {
    if (!this.at) return null;
    const { west, south, east, north } = this.cell(this.at);
    const [wide, high] = [(east - west) * CELLS_AROUND, (north - south) * CELLS_AROUND];
    return { west: west - wide, east: east + wide, south: Math.max(south - high, -90), north: Math.min(north + high, 90) };
  }

  private cell(point: Point): Cell {
    const precision: CellPrecision = this.how === "exact" || this.how === "none" ? "neighbourhood" : this.how;
    return cellOf(point, precision);
  }

  private isInSight(): boolean {
    return !this.map || !this.at || this.map.getBounds().contains([this.at.longitude, this.at.latitude]);
  }

  /** What may be sent. */
  private get told(): Point | null {
    return this.at && snap(this.at, this.how);
  }

  private fields(): (HTMLInputElement | HTMLSelectElement)[] {
    const ids = this.getAttribute("fields")?.split(" ") ?? [];
    return ids.flatMap((id) => (document.getElementById(id) as HTMLInputElement | null) ?? []);
  }

  private joinFields(): void {
    const [latitude, longitude, precision] = this.fields();
    if (!latitude || !longitude) return;
    const refine = () => (this.precision = precisionOf(precision?.value ?? null) ?? this.how);
    const read = () => {
      const typed = pointOf(latitude.value, longitude.value);
      this.isSet = typed !== null;
      this.point = typed ?? this.at;
      this.writeFields();
    };
    precision?.addEventListener("change", refine);
    for (const field of [latitude, longitude]) field.addEventListener("change", read);
    refine();
    read();
  }

  private writeFields(): void {
    if (!this.isSet) return;
    const [latitude, longitude] = this.fields();
    if (latitude) latitude.value = String(this.told?.latitude ?? "");
    if (longitude) longitude.value = String(this.told?.longitude ?? "");
  }
}

function precisionOf(value: string | null): Precision | null {
  return PRECISIONS.find((each) => each === value) ?? null;
}

function pointOf(latitude: string | null, longitude: string | null): Point | null {
  if (!latitude?.trim() || !longitude?.trim()) return null;
  const point = { latitude: Number(latitude), longitude: Number(longitude) };
  return isOnEarth(point) ? point : null;
}

function rounded(degrees: number): number {
  return Number(degrees.toFixed(6));
}
