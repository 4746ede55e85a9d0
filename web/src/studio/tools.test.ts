// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import type { Cue } from "./cues";
import { Tools } from "./tools";

vi.mock("../texts", () => ({ language: () => "en", text: (key: string) => key }));

const CUE: Cue = { id: 1, start_s: 0, end_s: 1, text: "", unsure: false };
const nothing = () => {};
let tools: Tools;

beforeEach(() => {
  tools = new Tools({ move: nothing, split: nothing, join: nothing, add: nothing, doubt: nothing, remove: nothing });
  document.body.replaceChildren(tools.element);
  tools.show(CUE, 1, false);
});

const tool = (name: string) => [...document.querySelectorAll("button")].find(({ textContent }) => textContent === name) as HTMLButtonElement;
const stops = () => [...document.querySelectorAll("button")].filter(({ tabIndex, hidden }) => tabIndex === 0 && !hidden);

function goTo(name: string): void {
  stops()[0]?.focus();
  while (document.activeElement !== tool(name)) {
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  }
}

it.each([
  ["editor.join", CUE, true],
  ["editor.doubt", { ...CUE, unsure: true }, false],
])("is still reached by the Tab key when %s is used and goes", (name, cue, isLast) => {
  goTo(name);
  tools.show(cue, 1, isLast);
  expect(stops()).toHaveLength(1);
  expect(document.activeElement).toBe(stops()[0]);
});

it("takes no focus from elsewhere", () => {
  goTo("editor.join");
  tool("editor.join").blur();
  tools.show(CUE, 1, true);
  expect(stops()).toHaveLength(1);
  expect(document.activeElement).toBe(document.body);
});

it("stays at a tool that is still there", () => {
  goTo("editor.split");
  tools.show(CUE, 1, true);
  expect(stops()).toEqual([tool("editor.split")]);
});
