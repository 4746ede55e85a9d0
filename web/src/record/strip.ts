import { svg } from "../dom";
import { heightOf } from "./level";

const BARS = 120;
const HEIGHT = 100;
const LEAST = 3;

/** Upright bars around a middle line, one a unit wide apart: 0 to 1 each. */
export function barsPath(bars: readonly number[]): string {
  return bars
    .map((bar, at) => {
      const half = Math.max((bar * HEIGHT) / 2, LEAST / 2);
      return `M${at + 0.5} ${(HEIGHT / 2 - half).toFixed(1)}v${(2 * half).toFixed(1)}`;
    })
    .join("");
}

/**
 * The take as a tape that fills from left to right: its whole width is the limit, so that it shows how much is said and
 * how much is left. Nothing scrolls; only the newest bar moves, with the voice.
 */
export class Strip {
  private readonly said = svg("path", { class: "said" });
  private readonly now = svg("path", { class: "now" });
  private bars: number[] = [];

  constructor(
    drawing: SVGElement,
    private readonly limit_s: number,
  ) {
    drawing.setAttribute("viewBox", `0 0 ${BARS} ${HEIGHT}`);
    drawing.append(this.said, this.now);
  }

  clear(): void {
    this.bars = [];
    this.said.setAttribute("d", "");
    this.now.setAttribute("d", "");
  }

  /** A level, root of the mean square, heard at a time of the take. */
  add(elapsed_s: number, rms: number): void {
    const at = Math.min(Math.floor((elapsed_s / this.limit_s) * BARS), BARS - 1);
    const isNew = at >= this.bars.length;
    while (this.bars.length <= at) this.bars.push(0);
    this.bars[at] = Math.max(this.bars[at]!, heightOf(rms));
    if (isNew) this.said.setAttribute("d", barsPath(this.bars.slice(0, at)));
    this.now.setAttribute("d", barsPath([heightOf(rms)]));
    this.now.setAttribute("transform", `translate(${at} 0)`);
  }
}
