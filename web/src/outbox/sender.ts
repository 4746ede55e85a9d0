import type { Answer } from "./answer";
import { whileHolding } from "./hold";
import { Noticeboard } from "./news";
import { answered, claimed, isDue, waiting } from "./stages";
import type { Take, Waits } from "./take";
import { isFull, type Vault } from "./vault";
import type { Me } from "./who";

const LOCK = "bubbles-outbox";
/** What no time heals. */
const FOR_PEOPLE: ReadonlySet<Waits | null> = new Set<Waits>(["sign-in", "other-account"]);
const UNREAD: Answer = { kind: "later", because: "device", after_s: null };

/** What the sender needs of the world. */
export interface World {
  readonly post: (take: Take, sound: Blob, progress: (sent: number) => void) => Promise<Answer>;
  readonly whoIsHere: () => Promise<Me | null>;
  readonly now_ms: () => number;
  readonly chance: () => number;
  /** Whether a take was queued in this very tab. */
  readonly isOurs: (id: string) => boolean;
}

/** Sends what is due: one tab at a time, one take at a time. A take leaves the vault on the house's word alone. */
export class Sender {
  private running: Promise<void> | null = null;
  private wantsMore = false;
  private isEager = false;

  constructor(
    private readonly vault: Vault,
    private readonly board: Noticeboard,
    private readonly world: World,
  ) {}

  /** Sends all that is due; asked again meanwhile, it looks again after. `eager`: what waits for the network, too. */
  flush({ eager = false } = {}): Promise<void> {
    this.isEager ||= eager;
    this.wantsMore = true;
    this.running ??= this.run().finally(() => (this.running = null));
    return this.running;
  }

  /** When the next take is due, in milliseconds since 1970; null when none waits for a time. */
  async nextDue_ms(): Promise<number | null> {
    const takes = await this.vault.takes();
    const timed = takes.filter(({ stage, waits }) => stage === "queued" && !FOR_PEOPLE.has(waits));
    return timed.length ? Math.min(...timed.map(({ notBefore_ms }) => notBefore_ms)) : null;
  }

  private async run(): Promise<void> {
    while (this.wantsMore) {
      this.wantsMore = false;
      const eager = this.isEager;
      this.isEager = false;
      await alone(() => this.sendDue(eager));
    }
  }

  private async sendDue(eager: boolean): Promise<void> {
    const due = (await this.vault.takes()).filter((take) => isDue(take, this.world.now_ms(), eager)).reverse();
    if (!due.length) return;
    const me = await this.world.whoIsHere();
    if (me) this.board.tell({ kind: "who", handle: me.handle });
    let trouble: unknown = null;
    for (const { id } of due) {
      // One that cannot be read keeps none of the others back.
      const unread = (): Promise<void> => this.settle(id, UNREAD);
      await this.attend(id, me, eager).catch(unread).catch((error: unknown) => (trouble = error));
    }
    if (trouble) throw trouble;
  }

  /** One take, as it is by now: the author may have changed it, or another tab sent it, since it was listed. */
  private async attend(id: string, me: Me | null, eager: boolean): Promise<void> {
    const take = await this.vault.take(id);
    if (!take || !isDue(take, this.world.now_ms(), eager)) return;
    if (!me) return this.settle(id, { kind: "later", because: "network", after_s: null });
    if (!me.handle) return this.wait(id, "sign-in");
    const isTheirs = take.owner === null ? this.world.isOurs(id) : take.owner === me.handle;
    if (!isTheirs) return this.wait(id, "other-account");
    const { handle } = me;
    await whileHolding(id, () => this.send(id, handle));
  }

  private async send(id: string, handle: string): Promise<void> {
    const take = await this.claim(id, handle);
    if (take?.stage !== "queued") return;
    const sound = await this.vault.sound(id);
    this.board.tell({ kind: "progress", id, sent: 0 });
    const answer = await this.world.post(take, sound, (sent) => this.board.tell({ kind: "progress", id, sent }));
    await this.settle(id, answer);
  }

  /** A full device may not keep even these words; only what leaves makes room, so that it leaves all the same. */
  private async claim(id: string, handle: string): Promise<Take | undefined> {
    try {
      return await this.vault.change(id, (take) => claimed(take, handle));
    } catch (error) {
      if (!isFull(error)) throw error;
      const take = await this.vault.take(id);
      return take && claimed(take, handle);
    }
  }

  private async settle(id: string, answer: Answer): Promise<void> {
    const step = (take: Take): Take => answered(take, answer, this.world.now_ms(), this.world.chance());
    await (answer.kind === "accepted" ? this.vault.acknowledge(id, step) : this.vault.change(id, step));
    this.board.tell({ kind: "changed", id });
  }

  private async wait(id: string, waits: Waits): Promise<void> {
    await this.vault.change(id, (take) => waiting(take, waits));
    this.board.tell({ kind: "changed", id });
  }
}

/** One tab at a time, where the browser can; elsewhere the key has the house take each take once. */
async function alone(work: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request(LOCK, work);
  else await work();
}
