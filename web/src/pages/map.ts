import { Atlas } from "../map/atlas";
import { PlaceSearch } from "../place-search";

customElements.define("place-search", PlaceSearch);

const element = document.querySelector<HTMLElement>("[data-atlas]");
if (element) {
  const atlas = new Atlas(element);
  // The list is there to be heard; the map is heavy and comes once the page has settled.
  const later = window.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 200));
  later(() => void atlas.unroll());
}
