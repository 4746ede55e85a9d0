import type { Wish } from "../outbox/card";
import { Outbox } from "../outbox/outbox";
import { unlessHeld } from "../outbox/hold";
import { markOurs } from "../outbox/ours";
import { recover } from "../outbox/recovery";
import { Shelf } from "../outbox/shelf";
import { handedTo, published, renewed, reopened, retried } from "../outbox/stages";
import type { Fields, Take } from "../outbox/take";
import type { Vault } from "../outbox/vault";
import type { Me } from "../outbox/who";
import { keepForOffline } from "../install";
import { text } from "../texts";
import { ask } from "./ask";
import type { Deck } from "./deck";
import { Details } from "./details";
import { find, show } from "../dom";
import { fits, keepFile } from "./files";
import { Review, downloadTake } from "./review";

export interface Limits {
  readonly limit_s: number;
  readonly silence_dbfs: number;
  readonly max_bytes: number;
}

/** Opens the outbox and finds what was left in it; raises what the browser raises where it keeps nothing. */
export async function furnish(root: HTMLElement, limits: Limits, deck: Deck, me: Me | null): Promise<Room> {
  const outbox = await Outbox.shared();
  await recover(outbox.vault);
  // Whoever records wants to do so without a connection, too.
  keepForOffline();
  const room = new Room(root, limits, deck, outbox);
  if (me) room.welcome(me);
  // What cannot be listed now is when there is news.
  await room.shelf.refresh().catch(() => undefined);
  return room;
}

/** The studio around the deck: the take that is open, what is told of it, and the shelf of the others. */
export class Room {
  readonly shelf: Shelf;
  private readonly review: Review;
  private readonly details: Details;
  private me: Me | null = null;
  private openId: string | null = null;

  constructor(
    private readonly root: HTMLElement,
    private readonly limits: Limits,
    private readonly deck: Deck,
    private readonly outbox: Outbox,
  ) {
    this.review = new Review(find("[data-review]", root), this.vault, limits);
    this.details = new Details(find<HTMLFormElement>("[data-details]", root), {
      changed: (fields) => void this.keep(fields),
      publish: (fields) => void this.publish(fields),
    });
    this.shelf = new Shelf(find("[data-shelf]", root), this.vault, outbox.board, (wish, take) => void this.grant(wish, take));
    find("[data-again]", root).addEventListener("click", () => void this.again());
    find("[data-aside]", root).addEventListener("click", () => this.close());
  }

  get vault(): Vault {
    return this.outbox.vault;
  }

  welcome(me: Me): void {
    this.me = me;
    this.details.welcome(me);
    this.shelf.welcome(me.handle);
    void this.outbox.flush();
  }

  /** Opens a take to be heard, trimmed, told of and published. While the deck records, it stays on the shelf. */
  async open(id: string): Promise<void> {
    if (!this.deck.isIdle) return this.shelf.refresh();
    const take = await this.vault.change(id, reopened);
    if (!this.deck.isIdle || take?.stage !== "draft") return this.shelf.refresh();
    this.details.hurry();
    this.openId = id;
    this.show(true);
    this.details.open(take.fields);
    this.shelf.setOpen(id);
    await this.review.open(take);
    find("[data-review] h2", this.root).focus();
  }

  /** A sound file that was chosen or dropped. */
  async bring(file: File, owner: string | null): Promise<void> {
    if (!fits(file, this.limits.max_bytes)) return this.deck.say(text("errors.too_large"));
    try {
      const { id } = await keepFile(this.vault, file, owner);
      await this.open(id);
    } catch {
      this.deck.say(text("recorder.trouble_full"));
    }
  }

  private show(isOpen: boolean): void {
    this.root.toggleAttribute("data-open", isOpen);
    show(find("[data-review]", this.root), isOpen);
    show(find("[data-details]", this.root), isOpen);
    show(find("[data-deck]", this.root), !isOpen);
    show(find("[data-bring]", this.root), !isOpen);
  }

  private close(): void {
    this.details.hurry();
    this.openId = null;
    this.review.close();
    this.show(false);
    this.shelf.setOpen(null);
    this.deck.focus();
  }

  /** What was typed, kept with the draft. */
  private async keep(fields: Fields): Promise<void> {
    const id = this.openId;
    if (id) await this.vault.change(id, (take) => (take.stage === "draft" ? { ...take, fields } : take));
  }

  private async publish(fields: Fields): Promise<void> {
    const id = this.openId;
    if (!id) return;
    if (this.review.isSilent && !(await ask(text("recorder.ask_silent"), text("recorder.yes_silent")))) return;
    const isKept = await this.queue(id, fields).then(
      () => true,
      () => false,
    );
    if (this.openId === id) this.close();
    this.deck.say(isKept ? "" : text("recorder.ended_full"));
    await this.focusShelf();
    await this.outbox.flush({ eager: true });
  }

  /** With its cut, which a full device may refuse. */
  private async queue(id: string, fields: Fields): Promise<void> {
    const trim = await this.review.settle();
    markOurs(id);
    await this.vault.change(id, (take) => published(take, fields, trim));
  }

  /** Once more from the start: what is there is thrown away, when its author says so. */
  private async again(): Promise<void> {
    const id = this.openId;
    if (!id || !(await ask(text("recorder.ask_again"), text("recorder.yes_discard")))) return;
    this.close();
    if (await unlessHeld(id, () => this.vault.remove(id))) await this.deck.begin();
    else this.deck.say(text("outbox.leaving"));
  }

  private async grant(wish: Wish, take: Take): Promise<void> {
    if (wish === "download") return downloadTake(this.vault, take);
    if (wish === "discard" && !(await ask(text("recorder.ask_discard"), text("recorder.yes_discard")))) return;
    // What is on its way is left alone: its bubble would be on the air with nothing here to tell of it.
    if (!(await unlessHeld(take.id, () => this.change(wish, take.id)))) return this.deck.say(text("outbox.leaving"));
    this.outbox.board.tell({ kind: "changed", id: take.id });
    // Its card goes, and what had the focus with it.
    if (wish === "discard" || wish === "done") await this.focusShelf({ preventScroll: true });
    if (wish === "open") return this.open(take.id);
    await this.outbox.flush({ eager: true });
  }

  /** Puts the focus where the takes are listed; where none is left, on what comes first. */
  private async focusShelf(options?: FocusOptions): Promise<void> {
    await this.shelf.refresh();
    const shelf = find("[data-shelf]", this.root);
    if (!shelf.hidden) find("h2", shelf).focus(options);
    else if (this.openId) find("[data-review] h2", this.root).focus();
    else this.deck.focus();
  }

  private async change(wish: Wish, id: string): Promise<void> {
    const handle = this.me?.handle;
    if (wish === "discard" || wish === "done") await this.vault.remove(id);
    // While the deck records, nothing is opened, and what waits to be sent stays in its queue.
    if (wish === "open" && this.deck.isIdle) await this.vault.change(id, reopened);
    if (wish === "retry") await this.vault.change(id, retried);
    if (wish === "renew") await this.vault.change(id, renewed);
    if (wish === "hand-over" && handle) await this.vault.change(id, (take) => handedTo(take, handle));
  }
}
