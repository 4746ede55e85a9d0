import type { Point } from "../cells";
import { find } from "./dom";

/** A place that has a name. */
export interface NamedPlace extends Point {
  readonly name: string;
  /** The name with where it lies, to tell places of one name apart. */
  readonly label: string;
}

const WAIT_MS = 250;
const SHORTEST = 2;

/** Looks names up while they are typed, and calls back with the one that is chosen. */
export function searchPlaces(root: HTMLElement, chosen: (place: NamedPlace) => void): void {
  const input = find<HTMLInputElement>("[data-place-name]", root);
  const list = find("[data-places]", root);
  let timer = 0;
  let asked = 0;
  const look = async (): Promise<void> => {
    const number = (asked += 1);
    const found = await named(input.value.trim());
    if (number === asked) list.replaceChildren(...found.map((place) => row(place, pick)));
  };
  const pick = (place: NamedPlace): void => {
    input.value = place.name;
    list.replaceChildren();
    chosen(place);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), WAIT_MS);
  });
  // Enter takes the first one; it must not publish.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    list.querySelector("button")?.click();
  });
}

async function named(query: string): Promise<NamedPlace[]> {
  if (query.length < SHORTEST) return [];
  try {
    const answer = await fetch(`/api/places?q=${encodeURIComponent(query)}`);
    const { items } = (await answer.json()) as { items?: NamedPlace[] };
    return items ?? [];
  } catch {
    return []; // offline: a place can still be given by hand
  }
}

function row(place: NamedPlace, pick: (place: NamedPlace) => void): HTMLElement {
  const [item, button] = [document.createElement("li"), document.createElement("button")];
  button.type = "button";
  button.textContent = place.label;
  button.addEventListener("click", () => pick(place));
  item.append(button);
  return item;
}
