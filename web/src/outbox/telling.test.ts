// @vitest-environment happy-dom
import { beforeAll, expect, it } from "vitest";
import errors from "../../messages/en/errors.json";
import outbox from "../../messages/en/outbox.json";
import type { Journey } from "./follow";
import { newTake } from "./take";
import { about, awaited, progressOf, refusalOf, standing } from "./telling";

beforeAll(() => {
  const groups = Object.entries({ errors, outbox });
  const texts = groups.flatMap(([group, told]) => Object.entries(told).map(([key, message]) => [`${group}.${key}`, message]));
  document.documentElement.lang = "en";
  document.body.innerHTML = `<script type="application/json" id="texts"></script>`;
  document.getElementById("texts")!.textContent = JSON.stringify(Object.fromEntries(texts));
});

const waiting = (position: number, eta_s: number | null = null): Journey => ({
  state: "playable",
  transcript: { state: "waiting", waiting_for: null },
  queue: { step: "transcribe", position, eta_s, waiting_for: null },
});

it("says who is before, counted from none", () => {
  expect([0, 1, 2].map((position) => awaited(waiting(position)))).toEqual([
    "Yours is next.",
    "One bubble is before yours.",
    "2 bubbles are before yours.",
  ]);
  expect(awaited(waiting(0, 70))).toBe("Yours is next. About 2 minutes.");
});

it("says nothing of a queue where what is awaited is known, or there is none", () => {
  expect(awaited({ ...waiting(3), state: "held" })).toBe("It waits for a moderator.");
  expect(awaited({ ...waiting(3), transcript: { state: "waiting", waiting_for: "model" } })).toContain("is away");
  expect(awaited({ ...waiting(3), queue: null })).toBe("");
});

it("says why the sound is not made playable yet", () => {
  const held_up = (waiting_for: string): Journey => ({
    ...waiting(3),
    state: "processing",
    queue: { step: "normalise", position: 3, eta_s: null, waiting_for },
  });
  expect(awaited(held_up("store"))).toBe(outbox.held_up);
  expect(awaited(held_up("spoiled"))).toBe(outbox.spoiled);
  expect(awaited({ ...waiting(3), transcript: { state: "waiting", waiting_for: "spoiled" } })).toBe(outbox.spoiled);
});

it("says that a take is on its way once, however much of it has left", () => {
  const take = newTake({ type: "audio/webm", stage: "queued" });
  const said = new Set([0, 0.33, 0.67].map((sent) => standing(take, sent, null)));
  expect([...said]).toEqual(["On its way."]);
  expect(standing(take, 1, null)).toContain("All sent.");
});

it("rounds a wait up, as one says it", () => {
  expect([0, 11, 60, 61, 3601].map(about)).toEqual(["10 seconds", "20 seconds", "1 minute", "2 minutes", "2 hours"]);
});

it("knows how far sound and words are", () => {
  expect(progressOf({ ...waiting(0), state: "processing" })).toEqual({ playable: "now", transcribed: "later" });
  expect(progressOf(waiting(0))).toEqual({ playable: "done", transcribed: "now" });
  expect(progressOf({ ...waiting(0), transcript: { state: "done", waiting_for: null } }).transcribed).toBe("done");
  expect(progressOf({ ...waiting(0), state: "refused" })).toEqual({ playable: "failed", transcribed: "failed" });
});

it("tells a refusal in words, by its code", () => {
  expect(refusalOf("too_long")).toBe(outbox.refused_too_long);
  expect(refusalOf("silent")).toBe(errors.silent);
  expect(refusalOf("no_such_code")).toBe(outbox.refused);
  const refused = { ...waiting(0), state: "refused" };
  expect(awaited({ ...refused, refused_reason: "silent" })).toBe(`${outbox.state_refused} ${errors.silent}`);
  expect(awaited({ ...refused, refused_reason: "no_such_code" })).toBe(outbox.state_refused);
});
