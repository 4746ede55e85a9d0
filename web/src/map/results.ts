import { find } from "../dom";

/** A bubble in the list: its element, which says where it is. */
export interface Spot {
  readonly element: HTMLElement;
  readonly code: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly radius_m: number;
}

/** The list beside the map. The server writes it; here it is replaced piece by piece, so that nothing that plays stops. */
export class Results {
  private asked: AbortController | null = null;

  /** `chosen` is called for a bubble that someone wants to see on the map, `pointed` for one that they come across. */
  constructor(
    readonly section: HTMLElement,
    private readonly on: { chosen: (spot: Spot) => void; pointed: (code: string | null) => void; played: (code: string | null) => void },
  ) {
    section.addEventListener("click", (event) => this.clicked(event));
    for (const kind of ["focusin", "pointerover"]) section.addEventListener(kind, (event) => on.pointed(codeOf(event)));
    for (const kind of ["focusout", "pointerleave"]) section.addEventListener(kind, () => on.pointed(null));
    // Events of sound do not bubble: they are caught on the way down.
    section.addEventListener("play", (event) => on.played(codeOf(event)), true);
    for (const kind of ["pause", "ended"]) section.addEventListener(kind, () => on.played(null), true);
    this.enhance();
  }

  /** All bubbles of the list that have a place. */
  spots(): Spot[] {
    return Array.from(this.section.querySelectorAll<HTMLElement>(".spot[data-latitude]"), spotOf);
  }

  get isEmpty(): boolean {
    return this.section.querySelector(".spot") === null;
  }

  /** How many there are, in a sentence. */
  get count(): string {
    return this.part(".map-count").textContent ?? "";
  }

  /** Shows what another address lists; false when no answer came. A later call makes an earlier one void. */
  async show(address: string): Promise<boolean> {
    this.asked?.abort();
    const { signal } = (this.asked = new AbortController());
    const fresh = await fetched(address, signal);
    if (fresh && !signal.aborted) this.replace(fresh);
    return fresh !== null || signal.aborted;
  }

  /** The bubble's element, fetched and put first where the list lacks it; null when there is no such bubble. */
  async find(code: string): Promise<Spot | null> {
    const known = this.spots().find((spot) => spot.code === code);
    if (known) return known;
    const fresh = await fetched(`/map/list?code=${encodeURIComponent(code)}`);
    const element = fresh?.querySelector<HTMLElement>(".spot");
    if (!element) return null;
    this.part(".spots").prepend(element);
    this.enhance();
    return spotOf(element);
  }

  /** Brings one bubble to the fore, and no other. */
  choose(spot: Spot | null): void {
    for (const each of this.section.querySelectorAll(".spot.chosen")) each.classList.remove("chosen");
    spot?.element.classList.add("chosen");
  }

  private replace(fresh: HTMLElement): void {
    inStep(this.part(".spots"), Array.from(find(".spots", fresh).children) as HTMLElement[]);
    for (const name of [".list-head", ".list-foot"]) this.part(name).replaceWith(find(name, fresh));
    this.enhance();
  }

  private part(name: string): HTMLElement {
    return find(name, this.section);
  }

  private enhance(): void {
    for (const part of this.section.querySelectorAll<HTMLElement>(".spot-ways[hidden]")) part.hidden = false;
  }

  private clicked(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const spot = target.closest<HTMLElement>(".spot");
    if (spot && target.closest("[data-show]")) this.on.chosen(spotOf(spot));
    if (target.closest("[data-close]")) this.choose(null);
    const more = target.closest<HTMLAnchorElement>("[data-more]");
    if (!more || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void this.append(more);
  }

  private async append(more: HTMLAnchorElement): Promise<void> {
    const { search } = new URL(more.href);
    const fresh = await fetched(`/map/list${search}`);
    if (!fresh) return location.assign(more.href);
    const added = Array.from(fresh.querySelectorAll<HTMLElement>(".spot"));
    this.part(".spots").append(...added);
    this.part(".list-foot").replaceWith(find(".list-foot", fresh));
    this.enhance();
    added[0]?.querySelector<HTMLElement>("a, button")?.focus();
  }
}

/** Makes a list hold `wanted`, in order; what is there already stays in place, and so does what plays. */
export function inStep(list: HTMLElement, wanted: HTMLElement[]): void {
  const there = new Map(Array.from(list.children, (each) => [(each as HTMLElement).dataset["code"], each as HTMLElement]));
  const codes = new Set(wanted.map((each) => each.dataset["code"]));
  for (const [code, each] of there) if (!codes.has(code) && !isLive(each)) each.remove();
  let at = list.firstElementChild;
  for (const fresh of wanted) {
    const each = there.get(fresh.dataset["code"]) ?? fresh;
    while (at && at !== each && !codes.has((at as HTMLElement).dataset["code"])) at = at.nextElementSibling;
    if (each === at) at = at.nextElementSibling;
    else list.insertBefore(each, at);
  }
}

function isLive(spot: HTMLElement): boolean {
  return spot.classList.contains("chosen") || Array.from(spot.querySelectorAll("audio")).some((audio) => !audio.paused);
}

function codeOf(event: Event): string | null {
  return (event.target as HTMLElement).closest<HTMLElement>(".spot")?.dataset["code"] ?? null;
}

function spotOf(element: HTMLElement): Spot {
  const number = (name: string) => Number(element.dataset[name]);
  return {
    element,
    code: element.dataset["code"] ?? "",
    latitude: number("latitude"),
    longitude: number("longitude"),
    radius_m: number("radiusM"),
  };
}

/** What the server lists at an address, written and escaped there; null when no answer came. */
async function fetched(address: string, signal?: AbortSignal): Promise<HTMLElement | null> {
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: signal ?? null });
    const { body } = new DOMParser().parseFromString(await answer.text(), "text/html");
    return body.querySelector(".list-head") ? document.importNode(body, true) : null;
  } catch {
    return null;
  }
}
