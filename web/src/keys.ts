/** The speeds that a player offers. */
export const RATES: readonly number[] = [0.75, 1, 1.25, 1.5, 2];

const STEP_S = 5;
const LEAP_S = 10;

/** Where a player stands, as far as a key needs to know. */
export interface Standing {
  at_s: number;
  duration_s: number;
  rate: number;
}

/** What a key asks of a player. */
export type Wish = { to_s: number } | { rate: number } | "toggle";

/** What a key asks, or null: the keys that people know from other players, and the ones of a slider. */
export function wished(key: string, now: Standing): Wish | null {
  if (/^[0-9]$/.test(key)) return { to_s: (now.duration_s * Number(key)) / 10 };
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case " ":
    case "k":
      return "toggle";
    case "ArrowLeft":
      return to(now.at_s - STEP_S, now);
    case "ArrowRight":
      return to(now.at_s + STEP_S, now);
    case "j":
      return to(now.at_s - LEAP_S, now);
    case "l":
      return to(now.at_s + LEAP_S, now);
    case "Home":
      return { to_s: 0 };
    case "End":
      return { to_s: now.duration_s };
    case "<":
      return { rate: nextRate(now.rate, -1) };
    case ">":
      return { rate: nextRate(now.rate, 1) };
    default:
      return null;
  }
}

/** The speed beside this one, slower or faster. */
export function nextRate(rate: number, step: 1 | -1): number {
  const at = RATES.indexOf(rate) + step;
  return RATES[Math.min(Math.max(at, 0), RATES.length - 1)] ?? 1;
}

function to(position_s: number, { duration_s }: Standing): Wish {
  return { to_s: Math.min(Math.max(position_s, 0), duration_s) };
}
