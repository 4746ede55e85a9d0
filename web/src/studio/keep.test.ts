// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { forget, keep, kept } from "./keep";

const UNSAVED = { version: 3, language: "en", cues: [{ start_s: 0, end_s: 1, text: "Hello", unsure: false }] };

beforeEach(() => sessionStorage.clear());

it("keeps what is not saved, for each bubble by itself, until it is forgotten", () => {
  keep("one", UNSAVED);
  expect(kept("one")).toEqual(UNSAVED);
  expect(kept("two")).toBeNull();
  forget("one");
  expect(kept("one")).toBeNull();
});

it.each(["", "{", "null", "[]", '{"version":"3"}', '{"version":3,"language":"en","cues":[{"text":1}]}'])(
  "takes nothing for unsaved words that is none: %s",
  (text) => {
    sessionStorage.setItem("bubbles-words-one", text);
    expect(kept("one")).toBeNull();
  },
);

it("goes on without a store", () => {
  const denied = vi.fn(() => {
    throw new DOMException("denied", "SecurityError");
  });
  vi.stubGlobal("sessionStorage", { setItem: denied, getItem: denied, removeItem: denied });
  keep("one", UNSAVED);
  forget("one");
  expect(kept("one")).toBeNull();
  expect(denied).toHaveBeenCalledTimes(3);
  vi.unstubAllGlobals();
});
