import { hasText, text } from "../texts";
import { button, element } from "./element";
import type { Saved } from "./save";

/** What the person can do about what they are told. */
export type Ways = { keepMine: () => void; takeTheirs: () => void; theirs: string };

/** The line beside the save button: where the words stand, and what to do about it. */
export class News {
  readonly element = element("p", { class: "desk-news", role: "status" });

  say(key: string, ...ways: Node[]): void {
    this.element.replaceChildren(text(`editor.${key}`), ...ways.flatMap((way) => [" ", way]));
  }

  /** How saving ended, with the ways out of it. */
  ended(saved: Saved, ways: Ways): void {
    if (saved.how === "stale") {
      const theirs = element("a", { href: ways.theirs, target: "_blank" }, text("editor.theirs"));
      const mine = button(text("editor.keep_mine"), ways.keepMine, { class: "plain" });
      this.say("stale", theirs, mine, button(text("editor.take_theirs"), ways.takeTheirs, { class: "plain" }));
    } else if (saved.how === "refused") {
      const key = `errors.${saved.code}`;
      this.element.replaceChildren(text("editor.refused", { reason: hasText(key) ? text(key) : saved.code }));
    } else this.say(saved.how);
  }
}
