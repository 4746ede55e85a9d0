/** A stretch of a bubble: from and to, in seconds. */
export type Stretch = readonly [start_s: number, end_s: number];

/** Two stretches this close, in seconds, count as one: a player reports its position about four times a second. */
const TOUCH_S = 0.05;
/** More than this between two reports, in seconds of wall time, is a jump or a stall, not listening. */
const REPORT_MAX_S = 1.5;

const STRETCHES_MAX = 200;

/** The heard stretches with one more: in order, apart from each other. Nothing is added that does not go forward. */
export function withStretch(heard: readonly Stretch[], start_s: number, end_s: number): Stretch[] {
  if (!(end_s > start_s) || start_s < 0) return [...heard];
  const before = heard.filter(([, end]) => end < start_s - TOUCH_S);
  const after = heard.filter(([start]) => start > end_s + TOUCH_S);
  const touched = heard.slice(before.length, heard.length - after.length);
  const start = Math.min(start_s, ...touched.map(([from]) => from));
  const end = Math.max(end_s, ...touched.map(([, to]) => to));
  return [...before, [start, end], ...after];
}

/** Whether the sound really ran from one reported position to the next, at this speed. */
export function ranBetween(from_s: number, to_s: number, rate: number): boolean {
  return to_s > from_s && to_s - from_s <= REPORT_MAX_S * rate;
}

/** The stretches as the beacon carries them: hundredths of a second, and no more of them than the house takes. */
export function asReported(heard: readonly Stretch[]): Stretch[] {
  return heard.slice(0, STRETCHES_MAX).map(([start, end]) => [Math.round(start * 100) / 100, Math.round(end * 100) / 100]);
}
