import { hasText, language, text } from "../texts";
import type { Journey } from "./follow";
import type { Take } from "./take";

/** The step of a bubble's way that is done, under way or to come. */
export type Progress = "done" | "now" | "later" | "failed";

const HOUR_S = 3600;
const MINUTE_S = 60;

/** What a take is called: its title, else when it was recorded. */
export function nameOf({ fields, name, recordedAt }: Take): string {
  return fields.title.trim() || name || text("outbox.take_of", { when: moment(recordedAt) });
}

/**
 * Where a take stands, in a sentence. `sent` is the part that has left, while it is on its way: how much that is stands
 * beside it, for a sentence that changed with it would be read out again and again.
 */
export function standing(take: Take, sent: number | null, handle: string | null): string {
  if (take.stage === "draft") return text("outbox.draft");
  if (take.stage === "stuck") return refusalOf(take.refusal ?? "");
  if (take.stage === "sent") return text("outbox.sent");
  if (sent !== null) return text(sent < 1 ? "outbox.sending" : "outbox.arrived");
  if (take.waits === "house" || take.waits === "device") {
    return text(`outbox.waits_${take.waits}`, { when: clockTime(take.notBefore_ms) });
  }
  if (take.waits === "other-account") return whose(take.owner, handle ?? "");
  return text(`outbox.waits_${take.waits?.replace("-", "_") ?? "turn"}`);
}

function whose(owner: string | null, handle: string): string {
  return owner === null ? text("outbox.waits_nobodys", { handle }) : text("outbox.waits_other", { owner, handle });
}

/** Why the house would not have it, and what can be done. */
export function refusalOf(code: string): string {
  const key = hasText(`outbox.refused_${code}`) ? `outbox.refused_${code}` : `errors.${code}`;
  return hasText(key) ? text(key) : text("outbox.refused");
}

/** How far the sound and the words of a bubble are. */
export function progressOf({ state, transcript }: Journey): { playable: Progress; transcribed: Progress } {
  const isPlayable = state === "playable" || state === "ready";
  const hasFailed = ["failed", "refused", "withdrawn", "held"].includes(state);
  const words = { done: "done", empty: "done", failed: "failed", running: "now" }[transcript.state] as Progress | undefined;
  return {
    playable: hasFailed ? "failed" : isPlayable ? "done" : "now",
    transcribed: hasFailed ? "failed" : isPlayable ? (words ?? "now") : "later",
  };
}

/** What is being waited for, in a sentence; empty when nothing is. */
export function awaited({ state, refused_reason, transcript, queue }: Journey): string {
  if (state === "refused" && refused_reason) return `${text("outbox.state_refused")} ${told(refused_reason)}`.trim();
  if (["failed", "refused", "held", "withdrawn"].includes(state)) return text(`outbox.state_${state}`);
  if (transcript.state === "empty") return text("outbox.no_speech");
  if (transcript.state === "failed") return text("outbox.no_words");
  if ((queue?.waiting_for ?? transcript.waiting_for) === "spoiled") return text("outbox.spoiled");
  if (transcript.waiting_for) return text("outbox.part_away");
  if (!queue) return "";
  if (queue.waiting_for) return text("outbox.held_up");
  const place = queue.position > 0 ? text("outbox.behind", { count: queue.position }) : text("outbox.next");
  return queue.eta_s === null ? place : `${place} ${text("outbox.eta", { time: about(queue.eta_s) })}`;
}

/** A time to wait, as one says it: seconds are rounded up to tens, minutes to whole ones. */
export function about(eta_s: number): string {
  if (eta_s < MINUTE_S) return text("outbox.seconds", { count: Math.max(Math.ceil(eta_s / 10) * 10, 10) });
  if (eta_s < HOUR_S) return text("outbox.minutes", { count: Math.ceil(eta_s / MINUTE_S) });
  return text("outbox.hours", { count: Math.ceil(eta_s / HOUR_S) });
}

/** What the code of a refusal says; nothing for one without words. */
function told(code: string): string {
  return hasText(`errors.${code}`) ? text(`errors.${code}`) : "";
}

function moment(recordedAt: string): string {
  const format = new Intl.DateTimeFormat(language(), { day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });
  return format.format(new Date(recordedAt));
}

function clockTime(at_ms: number): string {
  return new Intl.DateTimeFormat(language(), { timeStyle: "short" }).format(at_ms);
}
