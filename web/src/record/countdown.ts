/** From here on, in seconds, the end is seen, felt and said. */
export const WARNING_S = 10;
/** The last seconds, each of which is felt. */
const LAST_S = 3;

/** What the countdown says: whole seconds left, whether the end is near, and what happened since it was asked last. */
export interface Reading {
  readonly left_s: number;
  readonly isNear: boolean;
  readonly isOver: boolean;
  readonly event: "warning" | "tick" | "over" | null;
}

/** A watch that runs only while sound is taken: a pause is not counted. Times in milliseconds. */
export class Watch {
  private ran_ms = 0;
  private since_ms: number | null = null;

  constructor(private readonly now_ms: () => number = () => performance.now()) {}

  get isRunning(): boolean {
    return this.since_ms !== null;
  }

  get elapsed_s(): number {
    return (this.ran_ms + (this.since_ms === null ? 0 : this.now_ms() - this.since_ms)) / 1000;
  }

  run(): void {
    this.since_ms ??= this.now_ms();
  }

  rest(): void {
    this.ran_ms = this.elapsed_s * 1000;
    this.since_ms = null;
  }
}

/** Tells, at each look, how much is left of the limit; every warning and tick is told once. */
export class Countdown {
  private said_s = Infinity;

  constructor(private readonly limit_s: number) {}

  read(elapsed_s: number): Reading {
    const rest_s = Math.max(this.limit_s - elapsed_s, 0);
    // A hair's breadth before the full second still shows that second, as a clock does.
    const left_s = Math.max(Math.ceil(rest_s - 1e-6), 0);
    const isNear = left_s <= WARNING_S;
    return { left_s, isNear, isOver: rest_s === 0, event: this.event(left_s, isNear) };
  }

  private event(left_s: number, isNear: boolean): Reading["event"] {
    const before_s = this.said_s;
    this.said_s = Math.min(left_s, before_s);
    if (left_s >= before_s) return null;
    if (left_s === 0) return "over";
    if (isNear && before_s > WARNING_S && this.limit_s > WARNING_S) return "warning";
    return left_s <= LAST_S ? "tick" : null;
  }
}
