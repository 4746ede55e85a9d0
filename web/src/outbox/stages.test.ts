import { describe, expect, it } from "vitest";
import { answered, backoff_ms, claimed, ended, handedTo, isDue, published, renewed, reopened, retried, waiting } from "./stages";
import { BLANK, newTake, type Stage, type Take } from "./take";

const NOW_MS = 1_800_000_000_000;
const draft = newTake({ type: "audio/webm", stage: "draft" });
const queued = published(draft, BLANK);
const inStage = (stage: Stage): Take => ({ ...queued, stage, waits: "network", refusal: "idempotency_mismatch" });
const STAGES: Stage[] = ["recording", "draft", "queued", "stuck", "sent"];
/** The stages in which a step changes a take. */
function changedBy(step: (take: Take) => Take, takes = STAGES.map(inStage)): Stage[] {
  return takes.filter((take) => step(take) !== take).map(({ stage }) => stage);
}

describe("what may follow", () => {
  it("publishes a draft alone, so that what another tab has sent is not sent again", () => {
    expect(changedBy((take) => published(take, { ...BLANK, title: "late" }))).toEqual(["draft"]);
  });

  it("sends in someone's name only what still waits to be sent", () => {
    expect(changedBy((take) => claimed(take, "ana"))).toEqual(["queued"]);
    expect(changedBy((take) => waiting(take, "sign-in"))).toEqual(["queued"]);
    expect(claimed(inStage("queued"), "ana").waits).toBeNull();
  });

  it("tries again, and gives back to edit, what the house does not have", () => {
    expect(changedBy(retried)).toEqual(["queued", "stuck"]);
    expect(changedBy(reopened)).toEqual(["queued", "stuck"]);
    expect(retried({ ...inStage("stuck"), tries: 3, notBefore_ms: NOW_MS })).toEqual({ ...queued, key: queued.key });
  });

  it("gives another key to what was refused for its key, once", () => {
    expect(changedBy(renewed)).toEqual(["stuck"]);
    const twice = renewed(renewed(inStage("stuck")));
    expect(twice).toEqual({ ...queued, key: twice.key });
    expect(renewed({ ...inStage("stuck"), refusal: "silent" }).key).toBe(queued.key);
  });

  it("ends a recording, and nothing else", () => {
    expect(changedBy(ended)).toEqual(["recording"]);
  });
});

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

  it("is not put off for years by a clock that was wrong", () => {
    const ahead = answered(queued, later(3600), NOW_MS + 1e11, 1);
    expect(isDue(ahead, NOW_MS, false)).toBe(true);
    expect(isDue(answered(queued, later(3600), NOW_MS, 1), NOW_MS, false)).toBe(false);
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
    const given = handedTo(waiting(claimed(queued, "ana"), "other-account"), "ben");
    expect(given).toMatchObject({ owner: "ben", waits: null, fields: { channel: "" } });
    expect(given.key).not.toBe(queued.key);
  });

  it("goes to no other account once it is on its way", () => {
    const nobodys = waiting(queued, "other-account");
    const sending = claimed(nobodys, "ana");
    expect(handedTo(sending, "ben")).toBe(sending);
    const given = handedTo(nobodys, "ben");
    expect(handedTo(given, "ben")).toBe(given);
    expect(changedBy((take) => handedTo(take, "ben"), STAGES.map((stage) => ({ ...nobodys, stage })))).toEqual(["queued"]);
  });

  it("keeps its key over edits, and has another only when it is to be another bubble", () => {
    expect(published(reopened(queued), { ...BLANK, title: "new" }).key).toBe(queued.key);
    expect(renewed(inStage("stuck")).key).not.toBe(queued.key);
  });
});
