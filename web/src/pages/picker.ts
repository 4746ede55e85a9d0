import { PlacePicker } from "../place-picker";

customElements.define("place-picker", PlacePicker);
