// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { snap, type Point, type Precision } from "./cells";
import { PlacePicker } from "./place-picker";

vi.mock("./texts", () => ({ text: (key: string) => key }));

const HERE: Point = { latitude: 48.85837, longitude: 2.294481 };

customElements.define("place-picker", PlacePicker);

beforeEach(() => {
  document.body.innerHTML = `
    <form>
      <select id="precision">
        <option>exact</option><option>street</option><option selected>neighbourhood</option><option>town</option><option>none</option>
      </select>
      <input id="latitude"><input id="longitude">
      <place-picker fields="latitude longitude precision"></place-picker>
    </form>`;
});

const field = (id: string) => document.getElementById(id) as HTMLInputElement;
const picker = () => document.querySelector<PlacePicker>("place-picker")!;
const values = () => [field("latitude").value, field("longitude").value];

function told(precision: Precision): string[] {
  const at = snap(HERE, precision);
  return [String(at?.latitude ?? ""), String(at?.longitude ?? "")];
}

function choose(precision: Precision): void {
  field("precision").value = precision;
  field("precision").dispatchEvent(new Event("change"));
}

function type(point: Point): void {
  for (const name of ["latitude", "longitude"] as const) {
    field(name).value = String(point[name]);
    field(name).dispatchEvent(new Event("change"));
  }
}

const ways = { pointed: () => picker()["put"](HERE), typed: () => type(HERE) };

it.each(Object.entries(ways))("gives the fields the middle of the cell, of each precision that is chosen: %s", (_, set) => {
  set();
  for (const precision of ["neighbourhood", "town", "street", "none", "exact"] as const) {
    choose(precision);
    expect(values()).toEqual(told(precision));
  }
});

it("types nothing into the fields of a place that nobody set anew", () => {
  picker().setAttribute("latitude", "48.85");
  picker().setAttribute("longitude", "2.29");
  choose("town");
  expect(values()).toEqual(["", ""]);
});
