/**
 * The words as they lie on the desk. Every change gives a new list and leaves the old one as it was, so that one step
 * back is always there.
 */
export type Cue = { readonly id: number; start_s: number; end_s: number; text: string; unsure: boolean };
export type SentCue = Omit<Cue, "id">;
export type Edge = "start_s" | "end_s";

/** The shortest stretch that can be heard and told from another. */
export const SHORTEST_S = 0.2;

/** What a line is given that is added where there is room. */
const NEW_S = 2;

let last = 0;

/** Cues as the server tells them, each with a name of its own while they lie here. */
export function named(cues: readonly SentCue[]): Cue[] {
  return cues.map((cue) => ({ ...cue, id: ++last }));
}

/** Another text for a cue. Who writes it knows it: it is sure then. */
export function rewritten(cues: readonly Cue[], id: number, text: string): Cue[] {
  return cues.map((cue) => (cue.id === id && cue.text !== text ? { ...cue, text, unsure: false } : cue));
}

export function doubted(cues: readonly Cue[], id: number, unsure: boolean): Cue[] {
  return cues.map((cue) => (cue.id === id ? { ...cue, unsure } : cue));
}

export function without(cues: readonly Cue[], id: number): Cue[] {
  return cues.filter((cue) => cue.id !== id);
}

/** Two cues of one, cut before the character `caret`; the time is shared as the letters are. */
export function split(cues: readonly Cue[], id: number, caret: number): Cue[] {
  return cues.flatMap((cue) => {
    const before = cue.text.slice(0, caret).trim();
    const after = cue.text.slice(caret).trim();
    if (cue.id !== id || !before || !after || cue.end_s - cue.start_s < 2 * SHORTEST_S) return [cue];
    const part = before.length / (before.length + after.length);
    const at_s = within(
      cue.start_s + part * (cue.end_s - cue.start_s),
      cue.start_s + SHORTEST_S,
      cue.end_s - SHORTEST_S,
    );
    return [
      { ...cue, text: before, end_s: at_s },
      { ...cue, id: ++last, text: after, start_s: at_s },
    ];
  });
}

/** A cue joined with the next one; as unsure as either. */
export function joined(cues: readonly Cue[], id: number): Cue[] {
  const at = cues.findIndex((cue) => cue.id === id);
  const cue = cues[at];
  const next = cues[at + 1];
  if (!cue || !next) return [...cues];
  const whole = {
    ...cue,
    end_s: Math.max(cue.end_s, next.end_s),
    text: `${cue.text} ${next.text}`.trim(),
    unsure: cue.unsure || next.unsure,
  };
  return [...cues.slice(0, at), whole, ...cues.slice(at + 2)];
}

/** An empty cue after that one, or the first of all; in the gap there, else on the end of the one before. */
export function added(cues: readonly Cue[], after: number | null, duration_s: number): { cues: Cue[]; id: number } {
  const at = after === null ? 0 : cues.findIndex((cue) => cue.id === after) + 1;
  const before = cues[at - 1];
  const end_s = Math.max(cues[at]?.start_s ?? duration_s, SHORTEST_S);
  const start_s = Math.max(0, Math.min(before?.end_s ?? 0, rounded(end_s - SHORTEST_S)));
  const cue = { id: ++last, start_s, end_s: Math.min(end_s, rounded(start_s + NEW_S)), text: "", unsure: false };
  return { cues: [...cues.slice(0, at), cue, ...cues.slice(at)], id: cue.id };
}

/** A cue whose start or end is moved, as far as it stays a stretch, in the bubble, and in order. */
export function moved(cues: readonly Cue[], id: number, edge: Edge, by_s: number, duration_s: number): Cue[] {
  return cues.map((cue, at) => {
    if (cue.id !== id) return cue;
    const [from, to] =
      edge === "start_s"
        ? [cues[at - 1]?.start_s ?? 0, Math.min(cue.end_s - SHORTEST_S, cues[at + 1]?.start_s ?? duration_s)]
        : [cue.start_s + SHORTEST_S, Math.max(duration_s, cue.end_s)];
    return { ...cue, [edge]: within(cue[edge] + by_s, from, to) };
  });
}

/** What is sent: lines with words, in the order of their times. */
export function toSend(cues: readonly Cue[]): SentCue[] {
  return cues
    .filter((cue) => cue.text.trim())
    .map(({ start_s, end_s, text, unsure }) => ({ start_s, end_s, text: text.trim(), unsure }))
    .sort((one, other) => one.start_s - other.start_s);
}

export function same(one: readonly SentCue[], other: readonly SentCue[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function within(time_s: number, from_s: number, to_s: number): number {
  return rounded(Math.min(Math.max(time_s, from_s), Math.max(from_s, to_s)));
}

function rounded(time_s: number): number {
  return Math.round(time_s * 1000) / 1000;
}
