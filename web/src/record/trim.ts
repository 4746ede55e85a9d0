/** What is kept of a take: from and to, in seconds. */
export interface Trim {
  readonly start_s: number;
  readonly end_s: number;
}

/** The shortest piece that can be left, in seconds: the house takes nothing under 0.3. */
export const SHORTEST_S = 0.5;
/** So long, in seconds, a cut end is faded, so that it does not click. */
const FADE_S = 0.005;

/** All of a take, but no more than the limit. */
export function whole(duration_s: number, limit_s: number): Trim {
  return { start_s: 0, end_s: Math.min(duration_s, limit_s) };
}

/** A wished trim put right: within the take, no longer than the limit, no shorter than the shortest. The moved end gives. */
export function fitted(wish: Trim, moved: "start" | "end", duration_s: number, limit_s: number): Trim {
  const shortest_s = Math.min(SHORTEST_S, duration_s);
  if (moved === "start") {
    const end_s = clamped(wish.end_s, shortest_s, duration_s);
    const start_s = clamped(wish.start_s, 0, end_s - shortest_s);
    return { start_s, end_s: Math.min(end_s, start_s + limit_s) };
  }
  const start_s = clamped(wish.start_s, 0, duration_s - shortest_s);
  const end_s = clamped(wish.end_s, start_s + shortest_s, duration_s);
  return { start_s: Math.max(start_s, end_s - limit_s), end_s };
}

/** Whether anything is cut off: less than a hundredth of a second is not. */
export function isCut({ start_s, end_s }: Trim, duration_s: number): boolean {
  return start_s > 0.01 || end_s < duration_s - 0.01;
}

/** The samples that a trim keeps, faded at the ends that were cut. */
export function cut(samples: Float32Array, rate_hz: number, { start_s, end_s }: Trim): Float32Array {
  const from = Math.round(start_s * rate_hz);
  const to = Math.min(Math.round(end_s * rate_hz), samples.length);
  const kept = samples.slice(from, to);
  const fade = Math.min(Math.round(FADE_S * rate_hz), Math.floor(kept.length / 2));
  for (let at = 0; at < fade; at += 1) {
    if (from > 0) kept[at]! *= at / fade;
    if (to < samples.length) kept[kept.length - 1 - at]! *= at / fade;
  }
  return kept;
}

function clamped(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(most, least));
}
