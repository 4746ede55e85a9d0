import { expect, it } from "vitest";
import { clock, startOf } from "./times";

it("shows a position as a clock does", () => {
  expect([0, 9.99, 75.2, 119.6, NaN, -1].map(clock)).toEqual(["0:00", "0:09", "1:15", "1:59", "0:00", "0:00"]);
});

it("reads the start from the address", () => {
  expect(["#t=12", "#t=12.5", "#t=1:15", "#t=12,20", "#t=npt:3"].map(startOf)).toEqual([12, 12.5, 75, 12, 3]);
});

it("reads no start from anything else", () => {
  expect(["", "#", "#t=", "#t=-1", "#t=NaN", "#t=1e9", "#script", "#t=99999"].map(startOf)).toEqual(Array(8).fill(null));
});
