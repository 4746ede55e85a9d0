import { clock } from "../times";
import { text } from "../texts";
import type { Cue } from "./cues";
import { button, element } from "./element";

/** What can be done at a line. */
export type RowDeeds = {
  hear: (id: number) => void;
  confirm: (id: number) => void;
  write: (id: number, words: string) => void;
  choose: (id: number) => void;
  go: (id: number, lines: number) => void;
};

/** A cue on the desk: when, the words, and a click to be sure of them. */
export class Row {
  readonly element: HTMLLIElement;
  readonly words: HTMLTextAreaElement;
  private readonly hear: HTMLButtonElement;
  private readonly confirm: HTMLButtonElement;

  constructor(
    readonly id: number,
    deeds: RowDeeds,
  ) {
    this.hear = button("", () => deeds.hear(id), { class: "hear" });
    this.words = element("textarea", { rows: "1", dir: "auto", autocomplete: "off", spellcheck: "true" });
    this.confirm = button(text("editor.confirm"), () => deeds.confirm(id), { class: "confirm" });
    this.element = element("li", { class: "cue" }, this.hear, this.words, this.confirm);
    this.element.addEventListener("focusin", () => deeds.choose(id));
    this.words.addEventListener("input", () => {
      deeds.write(id, this.words.value);
      this.fit();
    });
    this.words.addEventListener("keydown", (event) => this.key(event, deeds));
  }

  show(cue: Cue, number: number): void {
    const times = { number, start: clock(cue.start_s), end: clock(cue.end_s) };
    this.hear.textContent = times.start;
    this.hear.setAttribute("aria-label", text("editor.hear", times));
    this.words.setAttribute("aria-label", text("editor.line", { number }));
    this.confirm.setAttribute("aria-label", `${text("editor.confirm")}: ${text("editor.confirm_line", { number })}`);
    this.confirm.hidden = !cue.unsure;
    this.element.toggleAttribute("data-unsure", cue.unsure);
    if (this.words.value !== cue.text) this.words.value = cue.text;
    this.fit();
  }

  mark({ current, heard }: { current: boolean; heard: boolean }): void {
    this.element.toggleAttribute("data-heard", heard);
    if (current) this.element.setAttribute("aria-current", "true");
    else this.element.removeAttribute("aria-current");
  }

  /** As high as its words. */
  fit(): void {
    this.words.style.height = "auto";
    if (this.words.scrollHeight) this.words.style.height = `${this.words.scrollHeight + 2}px`;
  }

  private key(event: KeyboardEvent, deeds: RowDeeds): void {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault(); // a cue is one line
    if (event.ctrlKey || event.metaKey) deeds.hear(this.id);
    else deeds.go(this.id, event.shiftKey ? -1 : 1);
  }
}
