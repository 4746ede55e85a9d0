import { ended } from "./stages";
import type { Take } from "./take";
import type { Vault } from "./vault";

/** Receipts are shown this long, in milliseconds. */
const RECEIPT_MS = 24 * 3_600_000;

/** Held by the tab that records a take, for as long as it lives; however it dies, the browser lets go. */
export function holdTake(id: string): () => void {
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  void navigator.locks?.request(lockOf(id), () => held);
  return release;
}

/** Takes whose tab was closed or killed while recording become drafts; those without a sound, and old receipts, go. */
export async function recover(vault: Vault, now_ms = Date.now()): Promise<void> {
  for (const take of await vault.takes()) {
    // One that the browser cannot read at this moment keeps none of the others back.
    await tidy(vault, take, now_ms).catch(() => undefined);
  }
}

async function tidy(vault: Vault, take: Take, now_ms: number): Promise<void> {
  if (take.bubble && now_ms - take.bubble.sentAt_ms > RECEIPT_MS) await vault.remove(take.id);
  if (take.stage === "recording" && (await isAbandoned(take))) await conclude(vault, take.id);
}

/** A take that is recorded no more becomes a draft; one without a sound goes. Gives whether it was kept. */
export async function conclude(vault: Vault, id: string): Promise<boolean> {
  if (await vault.hasSound(id)) return (await vault.change(id, ended)) !== undefined;
  await vault.remove(id);
  return false;
}

async function isAbandoned({ id }: Take): Promise<boolean> {
  if (!navigator.locks) return true;
  return navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => lock !== null);
}

function lockOf(id: string): string {
  return `bubbles-take-${id}`;
}
