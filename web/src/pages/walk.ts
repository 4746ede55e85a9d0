import { PlaceSearch } from "../place-search";
import { Walk } from "../walk/walk";

customElements.define("place-search", PlaceSearch);

const element = document.querySelector<HTMLElement>("[data-walk]");
if (element) new Walk(element);
