import { BubblePlayer } from "./player";
import { text } from "./texts";

const EVERY_MS = 20_000;
const CARDS_MAX = 60;
const AT_TOP_PX = 80;

/**
 * Keeps a list of cards fresh while someone looks at it. What came on air since stands at the top at once where that
 * disturbs nobody, else behind a button that says how much there is. Focus and sound stay where they are.
 */
export class OnAir {
  private waiting: Element[] = [];

  /** `news` is a live region that holds the button. */
  constructor(
    private readonly list: HTMLElement,
    private readonly news: HTMLElement,
  ) {
    this.button.addEventListener("click", () => this.show());
    document.addEventListener("visibilitychange", () => void this.look());
    setInterval(() => void this.look(), EVERY_MS);
  }

  /** Asks what is newer than the newest that is here. */
  async look(): Promise<void> {
    if (document.hidden) return;
    const newest = this.waiting[0] ?? this.list.firstElementChild;
    const answer = await fetch(`/on-air?after=${newest ? codeOf(newest) : ""}`).catch(() => null);
    if (answer?.ok) this.take(cardsIn(await answer.text()));
  }

  private take(cards: Element[]): void {
    const known = new Set([...this.waiting, ...this.list.children].map(codeOf));
    this.waiting = [...cards.filter((card) => !known.has(codeOf(card))), ...this.waiting].slice(0, CARDS_MAX);
    if (this.waiting.length === 0) return;
    if (this.isCalm()) this.show();
    else this.tell();
  }

  /** Nobody plays, nobody is in the list, and it is at its beginning. */
  private isCalm(): boolean {
    return !anyPlays(this.list) && !this.list.contains(document.activeElement) && scrollY < AT_TOP_PX;
  }

  private tell(): void {
    this.button.textContent = text("home.newer", { count: this.waiting.length });
    this.news.hidden = false;
  }

  private show(): void {
    const first = this.waiting[0];
    for (const card of this.waiting) card.classList.add("fresh");
    this.list.prepend(...this.waiting);
    this.light();
    this.waiting = [];
    if (this.news.contains(document.activeElement)) first?.querySelector("a")?.focus();
    this.news.hidden = true;
    this.bound();
  }

  /** The first that comes ends the quiet: the lamp is lit, and nobody is asked to begin. */
  private light(): void {
    const studio = this.list.parentElement;
    studio?.querySelector(".lamp.dark")?.classList.remove("dark");
    const sign = studio?.querySelector("[data-sign]");
    if (sign) sign.textContent = text("home.on_air");
    const empty = studio?.querySelector(".empty");
    if (!empty?.contains(document.activeElement)) empty?.remove();
  }

  /** The oldest cards go; one that plays or has the focus stays. */
  private bound(): void {
    for (const card of [...this.list.children].slice(CARDS_MAX)) {
      if (!anyPlays(card) && !card.contains(document.activeElement)) card.remove();
    }
  }

  private get button(): HTMLButtonElement {
    return this.news.querySelector("button") as HTMLButtonElement;
  }
}

function codeOf(card: Element): string {
  return card.getAttribute("data-code") ?? "";
}

function cardsIn(html: string): Element[] {
  const made = document.createElement("template");
  made.innerHTML = html;
  return [...made.content.querySelectorAll("[data-code]")];
}

function anyPlays(within: Element): boolean {
  return [...within.querySelectorAll<BubblePlayer>("bubble-player")].some(({ playing }) => playing);
}
