import { language, text } from "../texts";
import type { Cue, Edge } from "./cues";
import { button, element } from "./element";

const STEP_S = 0.1;

/** What can be done with the line that one is at. */
export type Deeds = {
  move: (edge: Edge, by_s: number) => void;
  split: () => void;
  join: () => void;
  add: () => void;
  doubt: () => void;
  remove: () => void;
};

/** The tools for one line, which go with it. One stop of the Tab key; the arrows lead from tool to tool. */
export class Tools {
  readonly element: HTMLElement;
  private readonly times: Record<Edge, HTMLElement> = { start_s: element("span"), end_s: element("span") };
  private readonly joins: HTMLButtonElement;
  private readonly doubts: HTMLButtonElement;
  private readonly format = new Intl.NumberFormat(language(), { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  constructor(deeds: Deeds) {
    this.joins = button(text("editor.join"), deeds.join);
    this.doubts = button(text("editor.doubt"), deeds.doubt);
    this.element = element(
      "div",
      { class: "tools", role: "toolbar" },
      this.time("start_s", "start", deeds),
      this.time("end_s", "end", deeds),
      button(text("editor.split"), deeds.split),
      this.joins,
      button(text("editor.add"), deeds.add),
      this.doubts,
      button(text("editor.remove"), deeds.remove),
    );
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.rove(0);
  }

  show(cue: Cue, number: number, isLast: boolean): void {
    this.element.setAttribute("aria-label", text("editor.tools", { number }));
    for (const edge of ["start_s", "end_s"] as const) this.times[edge].textContent = `${this.format.format(cue[edge])} s`;
    const hadFocus = this.element.contains(document.activeElement);
    this.joins.hidden = isLast;
    this.doubts.hidden = cue.unsure;
    if (this.shown().some((tool) => tool.tabIndex === 0)) return;
    // The one that the Tab key stops at is hidden: another takes its place.
    this.rove(0);
    if (hadFocus) this.shown()[0]?.focus();
  }

  private time(edge: Edge, name: "start" | "end", deeds: Deeds): HTMLElement {
    return element(
      "span",
      { class: "times" },
      element("span", {}, text(`editor.${name}`)),
      button("−", () => deeds.move(edge, -STEP_S), { "aria-label": text(`editor.${name}_earlier`) }),
      this.times[edge],
      button("+", () => deeds.move(edge, STEP_S), { "aria-label": text(`editor.${name}_later`) }),
    );
  }

  private key(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const tools = this.shown();
    const at = tools.indexOf(document.activeElement as HTMLButtonElement);
    const next = (at + by + tools.length) % tools.length;
    this.rove(next);
    tools[next]?.focus();
  }

  private rove(to: number): void {
    const chosen = this.shown()[to];
    for (const tool of this.element.querySelectorAll("button")) tool.tabIndex = tool === chosen ? 0 : -1;
  }

  private shown(): HTMLButtonElement[] {
    return [...this.element.querySelectorAll("button")].filter((tool) => !tool.hidden);
  }
}
