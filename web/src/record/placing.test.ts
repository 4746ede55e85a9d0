// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { snap } from "../cells";
import { Placing } from "./placing";

vi.mock("../texts", () => ({ text: (key: string) => key }));
vi.mock("./places", () => ({ searchPlaces: () => undefined }));
vi.mock("./sketch", () => ({ sketch: () => undefined }));

const HERE = { latitude: 48.85837, longitude: 2.294481 };
let placing: Placing;

const radios = (name: string, values: string[]) => values.map((value) => `<input type="radio" name="${name}" value="${value}">`).join("");

beforeEach(() => {
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", { geolocation: { getCurrentPosition: (found: (at: unknown) => void) => found({ coords: HERE }) } });
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

function locate(): void {
  document.querySelector<HTMLElement>("[data-here]")!.click();
}

function pointByHand(): void {
  for (const name of ["latitude", "longitude"] as const) {
    const input = document.querySelector<HTMLInputElement>(`[data-hand=${name}]`)!;
    input.value = String(HERE[name]);
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
