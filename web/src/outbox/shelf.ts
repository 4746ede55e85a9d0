import { find, show } from "../dom";
import { Card, type Wish } from "./card";
import type { News, Noticeboard } from "./news";
import { isOurs } from "./ours";
import type { Take } from "./take";
import type { Vault } from "./vault";

/**
 * Whether a take is shown to who is signed in: theirs and nobody's. While nobody is, what this tab made stays in sight;
 * offline, where nobody can be asked, all of it.
 */
export function isListed({ id, owner }: Take, handle: string | null | undefined): boolean {
  if (owner === null || owner === handle) return true;
  return typeof handle !== "string" && (isOurs(id) || (handle === undefined && !navigator.onLine));
}

/** The list of what is kept here or was just sent, as far as it is of who is signed in. */
export class Shelf {
  private readonly cards = new Map<string, Card>();
  /** Who is signed in, null for nobody; undefined until the house has said. */
  private handle: string | null | undefined;
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
    const all = (await this.vault.takes()).filter(({ id, stage }) => stage !== "recording" && id !== this.openId);
    const takes = all.filter((take) => isListed(take, this.handle));
    const kept = new Set(takes.map(({ id }) => id));
    for (const [id, card] of this.cards) {
      if (kept.has(id)) continue;
      card.close();
      this.cards.delete(id);
    }
    const list = find("[data-takes]", this.root);
    for (const take of takes) this.card(take).update(take, this.handle ?? null);
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
    if (news.kind === "who" && news.handle !== this.handle) this.welcome(news.handle);
    if (news.kind === "changed") void this.refresh();
  }
}
