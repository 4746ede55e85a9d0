import { expect, it } from "vitest";
import { nextRate, wished } from "./keys";

const now = { at_s: 30, duration_s: 100, rate: 1 };

it.each([
  ["ArrowRight", 35], ["ArrowLeft", 25], ["l", 40], ["J", 20], ["Home", 0], ["End", 100], ["0", 0], ["7", 70],
])("%s goes to %d s", (key, to_s) => {
  expect(wished(key, now)).toEqual({ to_s });
});

it("stays inside the bubble", () => {
  expect(wished("ArrowLeft", { ...now, at_s: 2 })).toEqual({ to_s: 0 });
  expect(wished("l", { ...now, at_s: 95 })).toEqual({ to_s: 100 });
});

it("plays and pauses", () => {
  expect([" ", "k", "K"].map((key) => wished(key, now))).toEqual(["toggle", "toggle", "toggle"]);
});

it("goes faster and slower, to the ends", () => {
  expect(wished(">", now)).toEqual({ rate: 1.25 });
  expect(wished("<", now)).toEqual({ rate: 0.75 });
  expect(nextRate(2, 1)).toBe(2);
  expect(nextRate(0.75, -1)).toBe(0.75);
});

it("leaves every other key alone", () => {
  for (const key of ["Tab", "Enter", "Escape", "a", "ArrowUp", "F5", "?"]) expect(wished(key, now)).toBeNull();
});
