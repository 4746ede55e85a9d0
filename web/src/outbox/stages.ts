import type { Answer } from "./answer";
import { randomId } from "../ids";
import type { Fields, Take, Waits } from "./take";

const FIRST_MS = 2_000;
const LONGEST_MS = 5 * 60_000;
/** No house is asked to wait for longer than this, whatever it says. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** How long to wait after so many tries: twice as long each time, and never two takes at the same moment. */
export function backoff_ms(tries: number, chance: number): number {
  return Math.min(FIRST_MS * 2 ** Math.max(tries - 1, 0), LONGEST_MS) * (0.5 + chance / 2);
}

/** It is recorded no more, whoever saw that: its own tab, or another after that one died. */
export function ended(take: Take): Take {
  return take.stage === "recording" ? { ...take, stage: "draft" } : take;
}

/** The author wants it published, with these fields. Another tab may have done so before: then it stays as it is. */
export function published(take: Take, fields: Fields, trim = take.trim): Take {
  return take.stage === "draft" ? { ...retried({ ...take, stage: "queued" }), fields, trim } : take;
}

/** The author has it tried again, at once. */
export function retried(take: Take): Take {
  if (take.stage !== "queued" && take.stage !== "stuck") return take;
  return { ...take, stage: "queued", waits: null, refusal: null, tries: 0, notBefore_ms: 0 };
}

/** The take before it is sent in someone's name: from here on it is theirs, and its fields stay what they are. */
export function claimed(take: Take, handle: string): Take {
  if (take.stage !== "queued") return take;
  // Naming the channel has the house refuse it, should another account slip in between asking and sending.
  return { ...take, owner: handle, waits: null, fields: { ...take.fields, channel: take.fields.channel || handle } };
}

/** What it waits for is for people to bring about. */
export function waiting(take: Take, waits: Waits): Take {
  return take.stage === "queued" ? { ...take, waits } : take;
}

/** The take after an answer. An edit or another tab may have taken it out of the queue meanwhile: then it stays so. */
export function answered(take: Take, answer: Answer, now_ms: number, chance: number): Take {
  if (answer.kind === "accepted") {
    const bubble = { code: answer.code, url: answer.url, sentAt_ms: now_ms };
    return { ...take, stage: "sent", bubble, waits: null, refusal: null };
  }
  if (take.stage !== "queued") return take;
  if (answer.kind === "signed-out") return { ...take, waits: "sign-in" };
  if (answer.kind === "refused") return { ...take, stage: "stuck", refusal: answer.code, waits: null };
  const tries = take.tries + 1;
  const asked_ms = Math.min((answer.after_s ?? 0) * 1000, RETRY_AFTER_MAX_MS);
  const wait_ms = Math.max(asked_ms, backoff_ms(tries, chance));
  return { ...take, tries, waits: answer.because, notBefore_ms: now_ms + wait_ms };
}

/** The author takes it back to change it; refused or not. */
export function reopened(take: Take): Take {
  return take.stage === "queued" || take.stage === "stuck" ? { ...take, stage: "draft", waits: null } : take;
}

/**
 * A new bubble of its own, after the house knew the key from another version of this take. Only from there: a second
 * key for what is on its way would publish it twice.
 */
export function renewed(take: Take): Take {
  if (take.stage !== "stuck" || take.refusal !== "idempotency_mismatch") return take;
  return { ...retried(take), key: randomId() };
}

/** Given to who is signed in, by their word, unless it has gone its way meanwhile. */
export function handedTo(take: Take, handle: string): Take {
  if (take.stage !== "queued" || take.waits !== "other-account") return take;
  const channel = take.fields.channel === take.owner ? "" : take.fields.channel;
  return { ...retried(take), key: randomId(), owner: handle, fields: { ...take.fields, channel } };
}

/** Whether a take is to be sent by now. `eager`: the network is back, or the author asks. */
export function isDue(take: Take, now_ms: number, eager: boolean): boolean {
  if (take.stage !== "queued") return false;
  const wait_ms = take.notBefore_ms - now_ms;
  // Nobody was asked to wait for so long: the clock of this device was wrong then, or is now.
  return wait_ms <= 0 || wait_ms > RETRY_AFTER_MAX_MS || (eager && take.waits === "network");
}
