// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PlaceSearch, type NamedPlace } from "./place-search";

vi.mock("./texts", () => ({ text: (key: string) => key }));
customElements.define("place-search", PlaceSearch);

let asked: { name: string; answer: (...names: string[]) => Promise<void> }[];
let chosen: string[];

beforeEach(() => {
  vi.useFakeTimers();
  [asked, chosen] = [[], []];
  vi.stubGlobal("fetch", (address: string, { signal }: RequestInit) => {
    return new Promise((answered, failed) => {
      signal?.addEventListener("abort", () => failed(new DOMException("", "AbortError")));
      const answer = async (...names: string[]): Promise<void> => {
        const items = names.map((name) => ({ name, label: name, latitude: 0, longitude: 0, population: null }));
        answered({ ok: true, json: async () => ({ items }) });
        await pass(0);
      };
      asked.push({ name: new URL(address, location.href).searchParams.get("q") ?? "", answer });
    });
  });
  document.body.innerHTML = "<place-search></place-search>";
  document.querySelector("place-search")?.addEventListener("place-chosen", (event) => {
    chosen.push((event as CustomEvent<NamedPlace>).detail.name);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const field = () => document.querySelector("input") as HTMLInputElement;
const isOpen = () => !(document.querySelector("ul") as HTMLElement).hidden;

async function pass(time_ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(time_ms);
}

async function type(words: string): Promise<void> {
  field().value = words;
  field().dispatchEvent(new Event("input"));
  await pass(300);
}

function press(key: string): void {
  field().dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
}

it("takes the first with Enter, and none of a name that was typed before", async () => {
  await type("Ly");
  await asked[0]?.answer("Lyme", "Lyon");
  await type("Lyon");
  press("Enter");
  expect(chosen).toEqual([]);
  await asked[1]?.answer("Lyon");
  press("Enter");
  expect(chosen).toEqual(["Lyon"]);
});

it("takes what is pointed at, though another answer is awaited", async () => {
  await type("Ly");
  await asked[0]?.answer("Lyme", "Lyon");
  await type("Lyo");
  press("ArrowDown");
  press("Enter");
  expect(chosen).toEqual(["Lyme"]);
});

it("stays closed once it was left, whatever is answered then", async () => {
  await type("Ly");
  field().dispatchEvent(new Event("blur"));
  await asked[0]?.answer("Lyon");
  expect(isOpen()).toBe(false);
  field().value = "Lyo";
  field().dispatchEvent(new Event("input"));
  field().dispatchEvent(new Event("blur"));
  await pass(300);
  expect([asked.length, isOpen()]).toEqual([1, false]);
});

it("stays closed once a place was chosen while another answer was awaited", async () => {
  await type("Ly");
  await asked[0]?.answer("Lyon");
  await type("Lyo");
  document.querySelector<HTMLElement>("[role=option]")?.click();
  await asked[1]?.answer("Lyon");
  expect([chosen, isOpen()]).toEqual([["Lyon"], false]);
});
