import { find } from "../dom";
import { text } from "../texts";
import { added, type Cue, doubted, joined, moved, named, rewritten, same, type SentCue, split, toSend, without } from "./cues";
import { button, element } from "./element";
import { forget, keep, kept } from "./keep";
import { News } from "./news";
import { Row, type RowDeeds } from "./row";
import { currentVersion, save } from "./save";
import { Stretch } from "./stretch";
import { type Deeds, Tools } from "./tools";

/**
 * Makes a workbench of the plain form in it: hear a line, correct it, cut and join. What is not saved stays in the tab,
 * and whoever saves second is told, with everything they wrote still there.
 */
export class TranscriptEditor extends HTMLElement {
  private cues: Cue[] = [];
  private saved: SentCue[] = [];
  private savedLanguage = "";
  private current: number | null = null;
  private heard: number | null = null;
  private readonly rows = new Map<number, Row>();
  private readonly news = new News();
  private form!: HTMLFormElement;
  private list!: HTMLElement;
  private language!: HTMLSelectElement;
  private version!: HTMLInputElement;
  private tools!: Tools;
  private stretch!: Stretch;

  connectedCallback(): void {
    if (this.form) return;
    this.form = find("form", this);
    this.list = find("ol.cues", this);
    this.language = find("select", this);
    this.version = find("input[name=version]", this);
    this.saved = readLines(this.list);
    this.savedLanguage = this.language.value;
    this.tools = new Tools(this.deeds());
    this.stretch = new Stretch(document.querySelector("bubble-player"), (id) => this.hears(id));
    this.takeOver();
    this.restore();
    this.draw();
  }

  private get code(): string {
    return this.getAttribute("code") ?? "";
  }

  private get duration_s(): number {
    return Number(this.getAttribute("duration")) || 0;
  }

  private get isChanged(): boolean {
    return !same(toSend(this.cues), this.saved) || this.language.value !== this.savedLanguage;
  }

  private takeOver(): void {
    this.toggleAttribute("enhanced", true);
    find("[data-plain]", this).textContent = text("editor.how");
    this.list.replaceChildren();
    find(".desk-save", this).append(this.news.element);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    this.language.addEventListener("change", () => this.changed());
    this.addEventListener("keydown", (event) => {
      if (event.key !== "s" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void this.save();
    });
    addEventListener("beforeunload", (event) => this.isChanged && event.preventDefault());
  }

  /** What was typed here and never saved, from before a reload; else the words as the page brought them. */
  private restore(): void {
    const unsaved = kept(this.code);
    this.cues = named(unsaved?.cues ?? this.saved);
    if (!unsaved) return;
    this.toggleAttribute("touched", true);
    this.version.value = String(unsaved.version);
    this.language.value = unsaved.language;
    this.news.say("restored", button(text("editor.discard"), () => this.takeTheirs(), { class: "plain" }));
  }

  private rowDeeds(): RowDeeds {
    return {
      hear: (id) => this.hear(id),
      confirm: (id) => {
        this.change(doubted(this.cues, id, false));
        this.focusOn(id);
      },
      write: (id, words) => this.change(rewritten(this.cues, id, words)),
      choose: (id) => this.choose(id),
      go: (id, lines) => this.focusOn(this.cues[this.at(id) + lines]?.id ?? id),
    };
  }

  private deeds(): Deeds {
    const here = () => this.current ?? -1;
    return {
      move: (edge, by_s) => this.change(moved(this.cues, here(), edge, by_s, this.duration_s)),
      split: () => this.change(split(this.cues, here(), this.rows.get(here())?.words.selectionStart ?? 0)),
      join: () => this.change(joined(this.cues, here())),
      add: () => this.add(here()),
      doubt: () => this.change(doubted(this.cues, here(), true)),
      remove: () => this.drop(here()),
    };
  }

  private add(after: number | null): void {
    const { cues, id } = added(this.cues, after, this.duration_s);
    this.change(cues);
    this.focusOn(id);
  }

  private drop(id: number): void {
    const before = this.cues;
    const at = this.at(id);
    this.change(without(this.cues, id));
    const next = this.cues[Math.min(at, this.cues.length - 1)];
    if (next) this.focusOn(next.id);
    const undo = button(text("editor.undo"), () => this.change(before), { class: "plain" });
    this.news.element.replaceChildren(text("editor.removed", { number: at + 1 }), " ", undo);
  }

  private hear(id: number): void {
    const cue = this.cues[this.at(id)];
    if (cue) this.stretch.toggle(id, cue.start_s, cue.end_s);
  }

  private hears(id: number | null): void {
    this.heard = id;
    this.mark();
  }

  private choose(id: number): void {
    if (this.current === id) return;
    this.current = id;
    this.mark();
  }

  private change(cues: Cue[]): void {
    this.cues = cues;
    this.draw();
    this.changed();
  }

  private changed(): void {
    this.toggleAttribute("touched", true);
    if (!this.isChanged) {
      forget(this.code);
      this.news.element.replaceChildren();
      return;
    }
    keep(this.code, { version: Number(this.version.value), language: this.language.value, cues: toSend(this.cues) });
    this.news.say("unsaved");
  }

  private async save(): Promise<void> {
    const cues = toSend(this.cues);
    const language = this.language.value;
    this.news.say("saving");
    const ended = await save(this.code, { version: Number(this.version.value), language, cues });
    if (ended.how === "saved") {
      this.stands(ended.version);
      [this.saved, this.savedLanguage] = [cues, language];
      this.changed();
    }
    this.news.ended(ended, {
      keepMine: () => void this.keepMine(),
      takeTheirs: () => this.takeTheirs(),
      theirs: `/b/${this.code}`,
    });
  }

  private async keepMine(): Promise<void> {
    const version = await currentVersion(this.code);
    if (version !== null) this.stands(version);
    await this.save();
  }

  private takeTheirs(): void {
    forget(this.code);
    [this.cues, this.saved] = [[], []];
    this.language.value = this.savedLanguage;
    location.reload();
  }

  /** The other form of the page is of the same bubble: its version is the same. */
  private stands(version: number): void {
    for (const field of document.querySelectorAll<HTMLInputElement>("input[name=version]")) field.value = String(version);
  }

  private draw(): void {
    const deeds = this.rowDeeds();
    const ids = new Set(this.cues.map((cue) => cue.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    this.cues.forEach((cue, at) => {
      const row = this.rows.get(cue.id) ?? new Row(cue.id, deeds);
      this.rows.set(cue.id, row);
      if (this.list.children[at] !== row.element) this.list.insertBefore(row.element, this.list.children[at] ?? null);
      row.show(cue, at + 1);
    });
    if (!this.cues.length) this.list.replaceChildren(this.first());
    else this.list.querySelector(".first")?.remove();
    this.mark();
  }

  private first(): HTMLElement {
    return element("li", { class: "first" }, button(text("editor.add_first"), () => this.add(null)));
  }

  /** Where one is, with the tools; and what is heard. */
  private mark(): void {
    for (const [id, row] of this.rows) row.mark({ current: id === this.current, heard: id === this.heard });
    const at = this.at(this.current ?? -1);
    const cue = this.cues[at];
    if (!cue) return this.tools.element.remove();
    this.tools.show(cue, at + 1, at === this.cues.length - 1);
    const row = this.rows.get(cue.id)?.element;
    if (row && this.tools.element.parentElement !== row) row.append(this.tools.element);
  }

  private focusOn(id: number): void {
    this.rows.get(id)?.words.focus();
  }

  private at(id: number): number {
    return this.cues.findIndex((cue) => cue.id === id);
  }
}

/** The lines of the plain form, as the page brought them. */
export function readLines(list: HTMLElement): SentCue[] {
  return [...list.querySelectorAll("li")].flatMap((line) => {
    const value = (name: string) => line.querySelector<HTMLInputElement>(`[name^="${name}-"]`);
    const words = value("text")?.value.trim() ?? "";
    if (!words) return [];
    const [start_s, end_s] = [Number(value("start")?.value), Number(value("end")?.value)];
    return [{ start_s, end_s, text: words, unsure: value("unsure")?.checked ?? false }];
  });
}
