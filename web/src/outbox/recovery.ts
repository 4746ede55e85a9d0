import type { Take } from "./take";
import type { Vault } from "./vault";

/** Receipts are shown this long, in milliseconds. */
const RECEIPT_MS = 24 * 3_600_000;

/** Held by the tab that records a take, for as long as it lives; however it dies, the browser lets go. */
export function holdTake(id: string): () => void {
  let release = (): void => undefined;
  void navigator.locks?.request(lockOf(id), () => new Promise<void>((resolve) => (release = resolve)));
  return () => release();
}

/** Takes whose tab was closed or killed while recording become drafts; those without a sound, and old receipts, go. */
export async function recover(vault: Vault, now_ms = Date.now()): Promise<void> {
  for (const take of await vault.takes()) {
    if (take.bubble && now_ms - take.bubble.sentAt_ms > RECEIPT_MS) await vault.remove(take.id);
    if (take.stage === "recording" && (await isAbandoned(take))) await keepOrDrop(vault, take);
  }
}

async function keepOrDrop(vault: Vault, { id }: Take): Promise<void> {
  const { size } = await vault.original(id);
  if (size) await vault.change(id, (take) => (take.stage === "recording" ? { ...take, stage: "draft" } : take));
  else await vault.remove(id);
}

async function isAbandoned({ id }: Take): Promise<boolean> {
  if (!navigator.locks) return true;
  return navigator.locks.request(lockOf(id), { ifAvailable: true }, (lock) => lock !== null);
}

function lockOf(id: string): string {
  return `bubbles-take-${id}`;
}
