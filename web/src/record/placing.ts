import { PRECISIONS, isAsCoarse, isOnEarth, snap, type Point, type Precision } from "../cells";
import type { Fields } from "../outbox/take";
import type { NamedPlace } from "../place-search";
import { text } from "../texts";
import { find, show } from "../dom";
import { sketch } from "./sketch";

type PlaceFields = Pick<Fields, "latitude" | "longitude" | "place_role" | "precision">;

/** `<place-picker>`: a map on which the place is pointed at. */
interface Picker extends HTMLElement {
  precision?: Precision;
  point?: Point | null;
}

const FIX_TIMEOUT_MS = 20_000;
/** A fix this old, in milliseconds, is still where one is. */
const FIX_AGE_MS = 60_000;

/**
 * Where the voice was, or what it speaks of. The point itself lives only in this object: `fields`, all that is ever kept
 * or sent, are snapped to the cell of the chosen precision.
 */
export class Placing {
  private point: Point | null = null;
  /** The finest precision at which the point is known: a draft that was kept knows no more than its cell. */
  private known: Precision = "exact";
  private hasChosenPrecision = false;
  /** Whether the point is where the device is: such a one grows no finer by itself. */
  private isFix = false;
  /** The search for the device that is still wanted: any place that is given meanwhile ends it. */
  private search = {};

  constructor(
    private readonly root: HTMLElement,
    private readonly changed: () => void,
  ) {
    find("[data-here]", root).addEventListener("click", () => this.locate());
    find("[data-nowhere]", root).addEventListener("click", () => this.put(null));
    for (const name of ["latitude", "longitude"]) this.input(name).addEventListener("change", () => this.byHand());
    for (const radio of this.radios("place_role")) radio.addEventListener("change", () => this.turned());
    for (const radio of this.radios("precision")) radio.addEventListener("change", () => this.refined());
    root.addEventListener("place-chosen", (event) => this.put((event as CustomEvent<NamedPlace>).detail));
    this.joinPicker();
    show(find("[data-here]", root), isSecureContext && "geolocation" in navigator);
  }

  get fields(): PlaceFields {
    const { precision, role: place_role } = this;
    const at = this.point && snap(this.point, precision);
    return { latitude: at?.latitude ?? null, longitude: at?.longitude ?? null, place_role, precision };
  }

  set fields({ latitude, longitude, place_role, precision }: PlaceFields) {
    this.check("place_role", place_role);
    this.check("precision", precision);
    // Exact is what a place spoken about is told without anyone's choice; the device is not told so for it.
    this.hasChosenPrecision = latitude !== null && !(place_role === "about" && precision === "exact");
    this.search = {};
    this.known = precision;
    this.isFix = false;
    this.point = latitude !== null && longitude !== null ? { latitude, longitude } : null;
    this.say("");
    this.draw();
  }

  private get role(): PlaceFields["place_role"] {
    return this.checked("place_role") === "about" ? "about" : "recorded";
  }

  private get precision(): Precision {
    return PRECISIONS.find((each) => each === this.checked("precision")) ?? "neighbourhood";
  }

  private locate(): void {
    this.say(text("recorder.place_looking"));
    const search = (this.search = {});
    const isWanted = (): boolean => this.search === search;
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => isWanted() && this.put({ latitude, longitude }, true),
      ({ code }) => isWanted() && this.say(text(code === 1 ? "recorder.place_refused" : "recorder.place_unknown")),
      { enableHighAccuracy: true, timeout: FIX_TIMEOUT_MS, maximumAge: FIX_AGE_MS },
    );
  }

  private byHand(): void {
    const [latitude, longitude] = ["latitude", "longitude"].map((name) => this.input(name).value.trim().replace(",", "."));
    if (!latitude || !longitude) return;
    const point = { latitude: Number(latitude), longitude: Number(longitude) };
    if (isOnEarth(point)) this.put(point);
    else this.say(text("errors.bad_place"));
  }

  private put(point: Point | null, isFix = false): void {
    this.isFix = isFix;
    this.search = {};
    if (isFix && !this.hasChosenPrecision && this.precision === "exact") this.check("precision", "neighbourhood");
    this.point = point && { latitude: point.latitude, longitude: point.longitude };
    this.known = "exact";
    this.say("");
    this.draw();
    this.changed();
  }

  /**
   * Recorded here is a person's whereabouts, and blurred unless they say so; what one speaks about is a place, but where
   * the device is stays whereabouts.
   */
  private turned(): void {
    const usual = this.role === "about" && !this.isFix ? "exact" : "neighbourhood";
    if (!this.hasChosenPrecision) this.check("precision", usual);
    this.refined(false);
  }

  private refined(isChoice = true): void {
    this.hasChosenPrecision ||= isChoice;
    if (this.point && !isAsCoarse(this.precision, this.known)) {
      this.point = null;
      this.say(text("recorder.place_again"));
    }
    this.draw();
    this.changed();
  }

  private draw(): void {
    const { point, precision } = this;
    show(find("[data-placed]", this.root), point !== null);
    find("[data-nowhere]", this.root).setAttribute("aria-pressed", String(point === null));
    if (point) sketch(find<SVGElement>("[data-sketch]", this.root), point, precision, this.known === "exact");
    const about = this.role === "about" ? "about" : "recorded";
    find("[data-seen]", this.root).textContent = point ? text(`recorder.seen_${precision}_${about}`) : "";
    const picker = this.root.querySelector<Picker>("place-picker");
    if (picker) [picker.precision, picker.point] = [precision, point];
  }

  private joinPicker(): void {
    const picker = this.root.querySelector<Picker>("place-picker");
    picker?.addEventListener("change", (event) => {
      const { detail } = event as CustomEvent<Point | undefined>;
      if (detail) this.put(detail);
    });
    void customElements.whenDefined("place-picker").then(() => picker && show(picker, true));
  }

  private say(message: string): void {
    find("[data-place-status]", this.root).textContent = message;
  }

  private input(name: string): HTMLInputElement {
    return find(`[data-hand=${name}]`, this.root);
  }

  private radios(name: string): NodeListOf<HTMLInputElement> {
    return this.root.querySelectorAll(`[name=${name}]`);
  }

  private checked(name: string): string {
    return [...this.radios(name)].find(({ checked }) => checked)?.value ?? "";
  }

  private check(name: string, value: string): void {
    for (const radio of this.radios(name)) radio.checked = radio.value === value;
  }
}
