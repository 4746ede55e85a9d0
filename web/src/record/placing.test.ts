// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { snap } from "../cells";
import { Placing } from "./placing";

vi.mock("../texts", () => ({ text: (key: string) => key }));
vi.mock("./sketch", () => ({ sketch: () => undefined }));

const HERE = { latitude: 48.85837, longitude: 2.294481 };
const THERE = { latitude: 45.764043, longitude: 4.835659 };
let placing: Placing;
/** What waits for the position of the device. */
let asked: ((at: unknown) => void)[];

const radios = (name: string, values: string[]) => values.map((value) => `<input type="radio" name="${name}" value="${value}">`).join("");

beforeEach(() => {
  vi.stubGlobal("isSecureContext", true);
  asked = [];
  vi.stubGlobal("navigator", { geolocation: { getCurrentPosition: (found: (at: unknown) => void) => asked.push(found) } });
  document.body.innerHTML = `
    <div id="place">
      <button data-here></button><button data-nowhere></button><p data-place-status></p><p data-placed></p><p data-seen></p>
      <svg data-sketch></svg><input data-hand="latitude"><input data-hand="longitude">
      ${radios("place_role", ["recorded", "about"])}${radios("precision", ["exact", "street", "neighbourhood", "town", "none"])}
    </div>`;
  placing = new Placing(document.getElementById("place")!, () => undefined);
  choose("precision", "neighbourhood", false);
  choose("place_role", "recorded", false);
});

function choose(name: string, value: string, isTold = true): void {
  const radio = document.querySelector<HTMLInputElement>(`[name=${name}][value=${value}]`)!;
  radio.checked = true;
  if (isTold) radio.dispatchEvent(new Event("change"));
}

function search(): void {
  document.querySelector<HTMLElement>("[data-here]")!.click();
}

function find(): void {
  asked.pop()!({ coords: HERE });
}

function locate(): void {
  search();
  find();
}

/** As when a draft is put aside and opened again. */
function reopen(): void {
  placing.fields = { ...placing.fields };
}

function pointByHand(at = HERE): void {
  for (const name of ["latitude", "longitude"] as const) {
    const input = document.querySelector<HTMLInputElement>(`[data-hand=${name}]`)!;
    input.value = String(at[name]);
    input.dispatchEvent(new Event("change"));
  }
}

const blurred = snap(HERE, "neighbourhood");

it("keeps where the device is as blurred as it was when it becomes what is spoken about", () => {
  locate();
  choose("place_role", "about");
  expect(placing.fields).toMatchObject({ precision: "neighbourhood", place_role: "about", ...blurred });
});

it("blurs where the device is, looked for once it is what is spoken about", () => {
  choose("place_role", "about");
  locate();
  expect(placing.fields).toMatchObject({ precision: "neighbourhood", ...blurred });
});

it("tells exactly where the device is to who says so", () => {
  locate();
  choose("precision", "exact");
  choose("place_role", "about");
  expect(placing.fields).toMatchObject({ precision: "exact", ...HERE });
});

it("tells a place that was pointed at exactly when it is what is spoken about", () => {
  pointByHand();
  choose("place_role", "about");
  expect(placing.fields).toMatchObject({ precision: "exact", ...HERE });
});

it("blurs where the device is in a draft whose place was told exactly without anyone's choice", () => {
  pointByHand(THERE);
  choose("place_role", "about");
  reopen();
  expect(placing.fields).toMatchObject({ precision: "exact", ...THERE });
  locate();
  expect(placing.fields).toMatchObject({ precision: "neighbourhood", ...blurred });
});

it("keeps an exact choice in a draft of where the voice was recorded", () => {
  locate();
  choose("precision", "exact");
  reopen();
  locate();
  expect(placing.fields).toMatchObject({ precision: "exact", place_role: "recorded", ...HERE });
});

it("gives no take the position that was looked for in another", () => {
  search();
  placing.fields = { latitude: null, longitude: null, place_role: "recorded", precision: "neighbourhood" };
  find();
  expect(placing.fields.latitude).toBeNull();
});

it("keeps the place that was given while the device was looked for", () => {
  search();
  pointByHand(THERE);
  find();
  expect(placing.fields).toMatchObject(snap(THERE, "neighbourhood")!);
});
