import { find, show } from "../record/dom";
import { Card, type Wish } from "./card";
import type { News, Noticeboard } from "./news";
import type { Take } from "./take";
import type { Vault } from "./vault";

/** The list of all that is kept here or was just sent. */
export class Shelf {
  private readonly cards = new Map<string, Card>();
  private handle: string | null = null;
  private openId: string | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly vault: Vault,
    board: Noticeboard,
    private readonly wish: (wish: Wish, take: Take) => void,
  ) {
    board.listen((news) => this.hear(news));
  }

  /** The take that is open above is not listed. */
  setOpen(id: string | null): void {
    this.openId = id;
    void this.refresh();
  }

  welcome(handle: string | null): void {
    this.handle = handle;
    void this.refresh();
  }

  /** Shows what is in the vault by now. */
  async refresh(): Promise<void> {
    const takes = (await this.vault.takes()).filter(({ id, stage }) => stage !== "recording" && id !== this.openId);
    const kept = new Set(takes.map(({ id }) => id));
    for (const [id, card] of this.cards) {
      if (kept.has(id)) continue;
      card.close();
      this.cards.delete(id);
    }
    const list = find("[data-takes]", this.root);
    for (const take of takes) this.card(take).update(take, this.handle);
    // Only what has come or moved is put in again: what has the focus keeps it.
    takes.forEach((take, at) => {
      const { root } = this.card(take);
      if (list.children[at] !== root) list.insertBefore(root, list.children[at] ?? null);
    });
    show(this.root, takes.length > 0);
  }

  private card(take: Take): Card {
    const known = this.cards.get(take.id) ?? new Card(take, this.wish);
    this.cards.set(take.id, known);
    return known;
  }

  private hear(news: News): void {
    if (news.kind === "progress") this.cards.get(news.id)?.progress(news.sent);
    if (news.kind === "who") this.handle = news.handle;
    if (news.kind === "changed") void this.refresh();
  }
}
