import { text } from "./texts";

/** A place by its name, as `GET /api/places` tells it; `label` tells it from others of its name. */
export interface NamedPlace {
  readonly name: string;
  readonly label: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly population: number | null;
}

const PAUSE_MS = 200;
const LIMIT = 8;
let made = 0;

/**
 * A field to find a place by its name, as a combobox with a list (ARIA 1.2). Fires `place-chosen` with the place in
 * `detail`. Asks only our own server. Attributes: `label`, shown above the field, and an example as its `placeholder`.
 */
export class PlaceSearch extends HTMLElement {
  private readonly id_ = `places-${++made}`;
  private input!: HTMLInputElement;
  private list!: HTMLUListElement;
  private status!: HTMLElement;
  private places: NamedPlace[] = [];
  /** Whether they are the answer to what stands in the field. */
  private isFresh = false;
  private active = -1;
  private timer = 0;
  private asked: AbortController | null = null;

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.build();
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => {
      const option = (event.target as HTMLElement).closest<HTMLElement>("[role=option]");
      if (option) this.choose(Number(option.dataset["index"]));
    });
  }

  disconnectedCallback(): void {
    this.askNoMore();
  }

  private build(): void {
    const shown = this.getAttribute("label");
    const name = shown ?? text("picker.search");
    const label = element("label", { htmlFor: this.id_, className: shown ? "" : "aside-only", textContent: name });
    this.input = element("input", { id: this.id_, type: "text", autocomplete: "off", maxLength: 80 });
    this.input.placeholder = this.getAttribute("placeholder") ?? name;
    this.input.spellcheck = false;
    this.list = element("ul", { id: `${this.id_}-list`, className: "place-options", hidden: true });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", name);
    this.status = element("p", { className: "aside-only" });
    this.status.setAttribute("role", "status");
    const roles = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": this.list.id };
    for (const [name, value] of Object.entries(roles)) this.input.setAttribute(name, value);
    this.append(label, this.input, this.list, this.status);
  }

  private typed(): void {
    this.askNoMore();
    this.isFresh = false;
    this.light(-1);
    this.timer = window.setTimeout(() => void this.look(this.input.value.trim()), PAUSE_MS);
  }

  /** An answer to what was asked is not waited for. */
  private askNoMore(): void {
    clearTimeout(this.timer);
    this.asked?.abort();
  }

  private async look(name: string): Promise<void> {
    if (!name) return this.close();
    const { signal } = (this.asked = new AbortController());
    try {
      const asked = new URLSearchParams({ q: name, limit: String(LIMIT) });
      const answer = await fetch(`/api/places?${asked}`, { signal });
      if (!answer.ok) throw new Error(String(answer.status));
      this.offer(((await answer.json()) as { items: NamedPlace[] }).items);
    } catch {
      if (!signal.aborted) this.say(text("picker.search_failed"));
    }
  }

  private offer(places: NamedPlace[]): void {
    this.places = places;
    this.isFresh = true;
    this.list.replaceChildren(...places.map((place, index) => this.option(place, index)));
    if (places.length === 0) {
      const none = element("li", { className: "place-none", textContent: text("picker.found_none") });
      none.setAttribute("role", "presentation");
      this.list.append(none);
    }
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.light(-1);
    this.say(places.length ? text("picker.found", { count: places.length }) : text("picker.found_none"));
  }

  private option(place: NamedPlace, index: number): HTMLLIElement {
    const option = element("li", { id: `${this.id_}-${index}`, className: "place-option" });
    option.setAttribute("role", "option");
    option.dataset["index"] = String(index);
    option.textContent = place.label;
    return option;
  }

  private pressed(event: KeyboardEvent): void {
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = moves[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (this.list.hidden) this.typed();
      else this.light(wrap(this.active + step, this.places.length));
    } else if (event.key === "Enter") {
      event.preventDefault(); // never sends the form around it
      if (!this.list.hidden) this.choose(this.isFresh ? Math.max(this.active, 0) : this.active);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.close();
    }
  }

  /** Shows which option Enter takes. */
  private light(index: number): void {
    this.active = index;
    this.list.querySelectorAll("[role=option]").forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    if (index < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `${this.id_}-${index}`);
    this.list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  private choose(index: number): void {
    const place = this.places[index];
    if (!place) return;
    this.input.value = place.label;
    this.close();
    this.dispatchEvent(new CustomEvent<NamedPlace>("place-chosen", { detail: place, bubbles: true }));
  }

  private close(): void {
    this.askNoMore();
    this.list.hidden = true;
    this.light(-1);
    this.input.setAttribute("aria-expanded", "false");
  }

  private say(words: string): void {
    this.status.textContent = words;
  }
}

/** How far around its middle a place of so many people is worth seeing, in metres: a village 2 km, a city of millions 12. */
export function extent_m({ population }: NamedPlace): number {
  return Math.min(Math.max(8 * Math.sqrt(population ?? 0), 2_000), 15_000);
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, properties: Partial<HTMLElementTagNameMap[Name]>): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), properties);
}

/** From before the first to the last and on again, -1 being the field itself. */
function wrap(index: number, length: number): number {
  if (index >= length) return -1;
  return index < -1 ? length - 1 : index;
}
