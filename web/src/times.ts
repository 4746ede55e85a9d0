/** A position as a clock shows it: 75.2 is `1:15`. */
export function clock(position_s: number): string {
  const whole = Number.isFinite(position_s) && position_s > 0 ? Math.floor(position_s) : 0;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** The start that an address asks for: `#t=12`, `#t=12.5`, `#t=1:15` (media fragments), or null. */
export function startOf(hash: string): number | null {
  const found = /^#t=(?:npt:)?(?:(\d{1,3}):)?(\d{1,4}(?:\.\d{1,3})?)(?:,|$)/.exec(hash);
  return found ? Number(found[1] ?? 0) * 60 + Number(found[2]) : null;
}
