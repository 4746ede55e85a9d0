/** The words of a bubble on its page: a line for each cue, lit while it is said, and heard when it is chosen. */
export class Script {
  private readonly lines: { element: HTMLElement; start_s: number; end_s: number }[];

  constructor(words: HTMLElement, hear: (start_s: number) => void) {
    this.lines = Array.from(words.querySelectorAll<HTMLElement>("[data-start]"), (element) => ({
      element,
      start_s: Number(element.dataset["start"]),
      end_s: Number(element.dataset["end"]),
    }));
    for (const { element, start_s } of this.lines) {
      element.addEventListener("click", (event) => {
        if (!chosen(event)) return;
        event.preventDefault();
        // The address names the moment, to be shared; the page stays where it is.
        history.replaceState(null, "", element.querySelector("a")?.getAttribute("href"));
        hear(start_s);
      });
    }
  }

  /** Lights the line that is said at a position. */
  show(position_s: number): void {
    for (const { element, start_s, end_s } of this.lines) {
      const said = start_s <= position_s && position_s < end_s;
      if (said) element.setAttribute("aria-current", "true");
      else element.removeAttribute("aria-current");
    }
  }
}

/** A plain click: none that opens a tab or ends a selection. */
function chosen(event: MouseEvent): boolean {
  return !(event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection()) !== "");
}
