import { isFlagUp } from "./flag";
import { Noticeboard } from "./news";
import { isOurs } from "./ours";
import { post } from "./post";
import { Sender } from "./sender";
import { Vault } from "./vault";
import { whoIsHere } from "./who";

/** How often, while the page is seen, it is asked whether someone has signed in or a take is due. */
const LOOK_EVERY_MS = 30_000;
const SOONEST_MS = 250;

/** The outbox of this page: vault, news and a sender that wakes by itself. */
export class Outbox {
  private static opened: Promise<Outbox> | null = null;
  private timer = 0;

  private constructor(
    readonly vault: Vault,
    readonly board: Noticeboard,
    private readonly sender: Sender,
  ) {}

  /** The one of this page. */
  static shared(): Promise<Outbox> {
    const opening = (Outbox.opened ??= Outbox.open());
    // A browser that cannot now may be able to later.
    opening.catch(() => Outbox.opened === opening && (Outbox.opened = null));
    return opening;
  }

  private static async open(): Promise<Outbox> {
    const [vault, board] = [await Vault.open(), new Noticeboard()];
    const world = { post, whoIsHere, now_ms: () => Date.now(), chance: () => Math.random(), isOurs };
    const outbox = new Outbox(vault, board, new Sender(vault, board, world));
    outbox.attend();
    return outbox;
  }

  /** Sends what is due, and comes back when the next take is. */
  async flush(options = { eager: false }): Promise<void> {
    let wait_ms: number | null = LOOK_EVERY_MS;
    try {
      await this.sender.flush(options);
      wait_ms = await this.rest_ms();
    } finally {
      clearTimeout(this.timer);
      if (wait_ms !== null) this.timer = setTimeout(() => void this.flush(), wait_ms);
    }
  }

  /** How long there is nothing to do; null when there will be nothing. */
  private async rest_ms(): Promise<number | null> {
    const due_ms = await this.sender.nextDue_ms();
    // Who is signed in is asked again only by a page that is seen; coming back to a page asks, too.
    if (!isFlagUp() || (due_ms === null && document.hidden)) return null;
    const wait_ms = due_ms === null ? LOOK_EVERY_MS : due_ms - Date.now();
    return Math.min(Math.max(wait_ms, SOONEST_MS), LOOK_EVERY_MS);
  }

  private attend(): void {
    addEventListener("online", () => void this.flush({ eager: true }));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) void this.flush();
    });
    void this.flush({ eager: true });
  }
}
