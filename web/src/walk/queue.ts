import { distance_m, type Point } from "../cells";

/** A bubble as `GET /api/bubbles` tells it, what a walk needs of it. */
export interface Voice {
  readonly code: string;
  readonly title: string;
  readonly url: string;
  readonly channel: { readonly title: string };
  readonly place: (Point & { readonly radius_m: number }) | null;
  readonly duration_s: number;
  readonly renditions: readonly { readonly url: string; readonly type: string }[];
}

/** What is to be heard, nearest first, and what was heard: nothing twice in a walk. It lives only in this page. */
export class Queue {
  private voices: readonly Voice[] = [];
  private readonly past: Voice[] = [];
  private at = -1;

  /** What lies around now, from a point; null where nobody knows where that is: then in the order given. */
  offer(voices: readonly Voice[], here: Point | null): void {
    this.voices = here ? nearestFirst(voices, here) : voices;
  }

  /** What comes next, without going there. */
  get coming(): Voice | null {
    return this.past[this.at + 1] ?? this.voices.find((voice) => !this.isHeard(voice.code)) ?? null;
  }

  /** Goes on: to the one that was left by going back, else to the nearest that was not heard; null when none is left. */
  next(): Voice | null {
    const { coming } = this;
    if (!coming) return null;
    this.at += 1;
    if (this.at === this.past.length) this.past.push(coming);
    return coming;
  }

  /** Goes back to the one before; null at the first. */
  previous(): Voice | null {
    if (this.at <= 0) return null;
    this.at -= 1;
    return this.past[this.at] ?? null;
  }

  /** The one that was gone to comes again: it was not heard. */
  again(): void {
    this.at = Math.max(this.at - 1, -1);
  }

  get hasPrevious(): boolean {
    return this.at > 0;
  }

  isHeard(code: string): boolean {
    return this.past.some((voice) => voice.code === code);
  }
}

/** Equals stay in their order; what has no place comes last. */
export function nearestFirst(voices: readonly Voice[], here: Point): Voice[] {
  const away = (voice: Voice) => (voice.place ? distance_m(here, voice.place) : Infinity);
  return [...voices].sort((a, b) => (away(a) < away(b) ? -1 : away(a) > away(b) ? 1 : 0));
}
