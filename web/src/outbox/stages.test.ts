import { describe, expect, it } from "vitest";
import { answered, backoff_ms, claimed, handedTo, isDue, published, renewed, reopened } from "./stages";
import { BLANK, newTake, type Take } from "./take";

const NOW_MS = 1_800_000_000_000;
const queued = published(newTake({ type: "audio/webm" }), BLANK);
const later = (after_s: number | null, because: "house" | "network" = "house") =>
  ({ kind: "later", because, after_s }) as const;

describe("backoff", () => {
  it("doubles up to five minutes, and never twice the same", () => {
    expect([1, 2, 3].map((tries) => backoff_ms(tries, 1))).toEqual([2000, 4000, 8000]);
    expect(backoff_ms(50, 1)).toBe(300_000);
    expect(backoff_ms(1, 0)).toBe(1000);
  });
});

describe("answered", () => {
  it("waits at least as long as the house asks", () => {
    expect(answered(queued, later(120), NOW_MS, 1).notBefore_ms).toBe(NOW_MS + 120_000);
    expect(answered(queued, later(0), NOW_MS, 1).notBefore_ms).toBe(NOW_MS + 2000);
    expect(answered(queued, later(1e9), NOW_MS, 1).notBefore_ms).toBe(NOW_MS + 3_600_000);
  });

  it("keeps what is refused, with the reason", () => {
    expect(answered(queued, { kind: "refused", code: "silent" }, NOW_MS, 1)).toMatchObject({ stage: "stuck", refusal: "silent" });
  });

  it("keeps what nobody is signed in for", () => {
    expect(answered(queued, { kind: "signed-out" }, NOW_MS, 1)).toMatchObject({ stage: "queued", waits: "sign-in" });
  });

  it("leaves a take alone that its author took back meanwhile, unless the house has it", () => {
    const back = reopened(queued);
    expect(answered(back, later(5), NOW_MS, 1)).toEqual(back);
    expect(answered(back, { kind: "accepted", code: "C", url: "U" }, NOW_MS, 1)).toMatchObject({ stage: "sent", bubble: { code: "C" } });
  });
});

describe("isDue", () => {
  const waiting: Take = answered(queued, later(null, "network"), NOW_MS, 1);

  it("waits for its time, unless it waited for the network and that is back", () => {
    expect(isDue(waiting, NOW_MS, false)).toBe(false);
    expect(isDue(waiting, NOW_MS + 2000, false)).toBe(true);
    expect(isDue(waiting, NOW_MS, true)).toBe(true);
    expect(isDue(answered(queued, later(60), NOW_MS, 1), NOW_MS, true)).toBe(false);
  });

  it("never sends a draft, nor what is stuck or sent", () => {
    for (const stage of ["recording", "draft", "stuck", "sent"] as const) {
      expect(isDue({ ...queued, stage }, NOW_MS, true)).toBe(false);
    }
  });
});

describe("whose a take is", () => {
  it("names the account's own channel when none is chosen, and leaves a chosen one", () => {
    expect(claimed(queued, "ana")).toMatchObject({ owner: "ana", fields: { channel: "ana" } });
    expect(claimed({ ...queued, fields: { ...BLANK, channel: "harbour" } }, "ana").fields.channel).toBe("harbour");
  });

  it("says the same when it is claimed again: a repeated upload must not differ", () => {
    expect(claimed(claimed(queued, "ana"), "ana")).toEqual(claimed(queued, "ana"));
  });

  it("goes to another account under a key of its own, and not into the first one's channel", () => {
    const given = handedTo(claimed(queued, "ana"), "ben");
    expect(given).toMatchObject({ owner: "ben", fields: { channel: "" } });
    expect(given.key).not.toBe(queued.key);
  });

  it("keeps its key over edits, and has another only when it is to be another bubble", () => {
    expect(published(reopened(queued), { ...BLANK, title: "new" }).key).toBe(queued.key);
    expect(renewed(queued).key).not.toBe(queued.key);
  });
});
