import type { SentCue } from "./cues";

/** What is not saved yet: kept in the tab, so that a reload, a crash or signing in again loses nothing. */
export type Unsaved = { version: number; language: string; cues: SentCue[] };

const PREFIX = "bubbles-words-";

export function keep(code: string, unsaved: Unsaved): void {
  try {
    sessionStorage.setItem(PREFIX + code, JSON.stringify(unsaved));
  } catch {
    // A full or forbidden store: the page still warns before it is left.
  }
}

export function forget(code: string): void {
  try {
    sessionStorage.removeItem(PREFIX + code);
  } catch {
    // As above.
  }
}

/** What was kept, if it still reads as such. */
export function kept(code: string): Unsaved | null {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(PREFIX + code) ?? "null");
    return isUnsaved(found) ? found : null;
  } catch {
    return null;
  }
}

function isUnsaved(found: unknown): found is Unsaved {
  const unsaved = found as Unsaved | null;
  return (
    typeof unsaved?.version === "number" &&
    typeof unsaved.language === "string" &&
    Array.isArray(unsaved.cues) &&
    unsaved.cues.every((cue) => typeof cue?.text === "string" && cue.start_s >= 0 && cue.end_s > cue.start_s)
  );
}
