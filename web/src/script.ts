interface Line {
  element: HTMLElement;
  start_s: number;
  end_s: number;
}

/** The words of a bubble on its page: a line for each cue, lit while it is said, and heard when it is chosen. */
export class Script {
  private readonly lines: Line[];
  private said: Line | null = null;

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
    const said = this.lines.find(({ start_s, end_s }) => start_s <= position_s && position_s < end_s) ?? null;
    if (said === this.said) return;
    this.said?.element.removeAttribute("aria-current");
    said?.element.setAttribute("aria-current", "true");
    this.said = said;
  }
}

/** A plain click: none that opens a tab or ends a selection. */
function chosen(event: MouseEvent): boolean {
  return !(event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection()) !== "");
}
