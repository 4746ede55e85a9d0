import type { SentCue } from "./cues";

/** How saving ended. A stale version lost nothing: it is for the person to say whose words stand. */
export type Saved =
  | { how: "saved"; version: number }
  | { how: "stale" | "signed_out" | "offline" }
  | { how: "refused"; code: string };

export type Words = { version: number; language: string; cues: SentCue[] };

/** Sends the words, in the place of those of exactly that version. */
export async function save(code: string, { version, language, cues }: Words): Promise<Saved> {
  try {
    const answer = await fetch(`/api/bubbles/${code}/transcript`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "If-Match": `"v${version}"` },
      body: JSON.stringify({ language: language || null, cues }),
    });
    if (answer.ok) return { how: "saved", version: versionOf(answer) ?? version + 1 };
    if (answer.status === 409) return { how: "stale" };
    if (answer.status === 401) return { how: "signed_out" };
    return { how: "refused", code: await codeOf(answer) };
  } catch {
    return { how: "offline" };
  }
}

/** The version that stands now; null when the server does not say. */
export async function currentVersion(code: string): Promise<number | null> {
  try {
    const answer = await fetch(`/api/bubbles/${code}`, { cache: "no-store" });
    return answer.ok ? versionOf(answer) : null;
  } catch {
    return null;
  }
}

function versionOf(answer: Response): number | null {
  const found = /"v(\d+)/.exec(answer.headers.get("ETag") ?? "");
  return found ? Number(found[1]) : null;
}

async function codeOf(answer: Response): Promise<string> {
  try {
    return ((await answer.json()) as { code?: string }).code ?? "unavailable";
  } catch {
    return "unavailable";
  }
}
