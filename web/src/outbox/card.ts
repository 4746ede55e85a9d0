import { enableCopy } from "../copy";
import { find, show } from "../dom";
import "../share-panel";
import { text } from "../texts";
import { follow, type Journey } from "./follow";
import type { Take } from "./take";
import { awaited, nameOf, progressOf, standing } from "./telling";

/** What a card asks for. */
export type Wish = "open" | "download" | "discard" | "renew" | "hand-over" | "retry" | "done";

/** A take in the outbox: where it stands, and what its author can do. */
export class Card {
  readonly root: HTMLElement;
  private stopFollowing: (() => void) | null = null;
  private sent: number | null = null;

  constructor(
    private take: Take,
    private readonly wish: (wish: Wish, take: Take) => void,
  ) {
    const template = find<HTMLTemplateElement>("#take-card").content;
    this.root = find("li", template).cloneNode(true) as HTMLElement;
    for (const button of this.root.querySelectorAll<HTMLButtonElement>("[data-wish]")) {
      button.addEventListener("click", () => this.wish(button.dataset["wish"] as Wish, this.take));
    }
  }

  /** Shows the take as it is by now. */
  update(take: Take, handle: string | null): void {
    if (take.stage !== "queued" || take.waits !== null) this.sent = null;
    this.take = take;
    this.root.dataset["stage"] = take.stage;
    find("[data-name]", this.root).textContent = nameOf(take);
    this.tell(handle);
    this.offer(handle);
    if (take.bubble && !this.stopFollowing) this.followBubble(take.bubble);
  }

  /** The part of the bytes that has left. */
  progress(sent: number): void {
    this.sent = sent;
    this.tell(null);
    this.offer(null);
  }

  close(): void {
    this.stopFollowing?.();
    this.root.remove();
  }

  private tell(handle: string | null): void {
    const told = find("[data-standing]", this.root);
    const sentence = standing(this.take, this.sent, handle);
    if (told.textContent !== sentence) told.textContent = sentence;
    const bar = find<HTMLProgressElement>("progress", this.root);
    show(bar, this.sent !== null);
    bar.value = this.sent ?? 0;
  }

  private offer(handle: string | null): void {
    const { stage, waits, refusal, owner } = this.take;
    const isOnItsWay = this.sent !== null;
    const hasFailedHere = stage === "queued" && (waits === "network" || waits === "device");
    const offered: Record<Wish, boolean> = {
      open: (stage === "draft" || stage === "queued" || stage === "stuck") && !isOnItsWay,
      download: stage !== "sent" && !isOnItsWay,
      discard: stage !== "sent" && !isOnItsWay,
      retry: !isOnItsWay && ((stage === "stuck" && refusal !== "idempotency_mismatch") || hasFailedHere),
      renew: refusal === "idempotency_mismatch" && stage === "stuck",
      "hand-over": stage === "queued" && waits === "other-account" && handle !== null && handle !== owner,
      done: stage === "sent",
    };
    for (const button of this.root.querySelectorAll<HTMLButtonElement>("[data-wish]")) {
      show(button, offered[button.dataset["wish"] as Wish]);
    }
    find("[data-wish=hand-over]", this.root).textContent = text("outbox.hand_over", { handle: handle ?? "" });
    find("[data-wish=open]", this.root).textContent = text(stage === "draft" ? "outbox.open" : "outbox.edit");
    show(find("[data-sign-in]", this.root), stage === "queued" && waits === "sign-in");
  }

  private followBubble({ code, url }: NonNullable<Take["bubble"]>): void {
    show(find("[data-bubble]", this.root), true);
    find<HTMLInputElement>("[data-link]", this.root).value = url;
    const page = find<HTMLAnchorElement>("[data-page]", this.root);
    page.href = new URL(url).pathname;
    enableCopy(find("[data-copy]", this.root));
    find("share-panel", this.root).setAttribute("code", code);
    this.stopFollowing = follow(code, (journey) => this.seen(journey));
  }

  private seen(journey: Journey): void {
    const progress = progressOf(journey);
    for (const step of ["playable", "transcribed"] as const) {
      const item = find(`[data-step=${step}]`, this.root);
      item.dataset["progress"] = progress[step];
      find("[data-step-state]", item).textContent = text(`outbox.step_${progress[step]}`);
    }
    find("[data-awaited]", this.root).textContent = awaited(journey);
  }
}
