// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { markOurs } from "./ours";
import { isListed } from "./shelf";
import { newTake } from "./take";

vi.mock("./card", () => ({}));

const anas = newTake({ type: "audio/webm", owner: "ana" });
const nobodys = newTake({ type: "audio/webm" });

beforeEach(() => sessionStorage.clear());

describe("who is shown a take", () => {
  it("is who made it, and everybody one that nobody owns", () => {
    expect([anas, nobodys].map((take) => isListed(take, "ana"))).toEqual([true, true]);
    expect([anas, nobodys].map((take) => isListed(take, "ben"))).toEqual([false, true]);
    expect([anas, nobodys].map((take) => isListed(take, null))).toEqual([false, true]);
  });

  it("is nobody else, even in the tab where it was made", () => {
    markOurs(anas.id);
    expect(isListed(anas, null)).toBe(true);
    expect(isListed(anas, "ben")).toBe(false);
  });

  it("is whoever is there where nobody can be asked", () => {
    expect(isListed(anas, undefined)).toBe(false);
    vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
    expect(isListed(anas, undefined)).toBe(true);
    expect(isListed(anas, "ben")).toBe(false);
  });
});
