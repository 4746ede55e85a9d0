/** What became of an attempt to send. */
export type Answer =
  | { readonly kind: "accepted"; readonly code: string; readonly url: string }
  /** Will pass, later. `after_s` when the house said how long. */
  | { readonly kind: "later"; readonly because: "network" | "house" | "device"; readonly after_s: number | null }
  | { readonly kind: "signed-out" }
  /** Will not pass as it is. */
  | { readonly kind: "refused"; readonly code: string };

/** Statuses that say nothing against the take: what stands between us and the house, or the house itself, is unwell. */
const PASSING = new Set([408, 409, 425, 429, 500, 502, 503, 504]);
/** Where a proxy answers in the house's place, without a code. */
const CODES: Record<number, string> = { 403: "forbidden", 404: "not_found", 413: "too_large", 415: "not_audio" };

/** Reads an answer of `POST /api/bubbles`; status 0 is none at all. */
export function read(status: number, body: string, retryAfter: string | null = null): Answer {
  if (status === 0) return { kind: "later", because: "network", after_s: null };
  const told = parsed(body);
  if (status === 202 && typeof told["code"] === "string" && typeof told["url"] === "string") {
    return { kind: "accepted", code: told["code"], url: told["url"] };
  }
  if (status === 401) return { kind: "signed-out" };
  if (PASSING.has(status)) return { kind: "later", because: "house", after_s: seconds(retryAfter) };
  // A yes that is not the house's own is the sign-in page of some wireless network: the take stays.
  if (status < 400) return { kind: "later", because: "network", after_s: null };
  return { kind: "refused", code: typeof told["code"] === "string" ? told["code"] : (CODES[status] ?? "bad_request") };
}

function parsed(body: string): Record<string, unknown> {
  try {
    const told: unknown = JSON.parse(body);
    return typeof told === "object" && told !== null ? (told as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** `Retry-After` in seconds: the house never sends a date. */
function seconds(retryAfter: string | null): number | null {
  const wait_s = Number(retryAfter?.trim() || NaN);
  return Number.isFinite(wait_s) && wait_s >= 0 ? wait_s : null;
}
