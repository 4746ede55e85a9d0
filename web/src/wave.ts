import { svg } from "./dom";

/** As the house draws it (`http/shown.py`): a bar for each loudest of its peaks, `bars` wide and 100 high. */
const HEIGHT = 100;
const LOUDEST = 255;
const BAR = 0.62;
const LOW = 4;

/** The outline of a waveform as an SVG path. */
export function wavePath(peaks: readonly number[], bars: number): string {
  return Array.from({ length: bars }, (_, bar) => {
    const first = Math.floor((bar * peaks.length) / bars);
    const group = peaks.slice(first, Math.max(Math.floor(((bar + 1) * peaks.length) / bars), first + 1));
    const high = Math.max(LOW, Math.round((Math.max(0, ...group) / LOUDEST) * HEIGHT));
    return `M${bar} ${(HEIGHT - high) / 2}h${BAR}v${high}h-${BAR}z`;
  }).join("");
}

/** The picture that a player seeks in: the waveform, and over it the part that was heard. */
export function waveform(peaks: readonly number[], bars: number): SVGSVGElement {
  const path = wavePath(peaks, bars);
  const drawing = svg("svg", { class: "waveform", viewBox: `0 0 ${bars} ${HEIGHT}`, "aria-hidden": "true" });
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.append(svg("path", { d: path }), svg("path", { d: path, class: "heard" }));
  return drawing as SVGSVGElement;
}
