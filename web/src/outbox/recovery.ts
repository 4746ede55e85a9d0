import { unlessHeld } from "./hold";
import { ended } from "./stages";
import type { Take } from "./take";
import type { Vault } from "./vault";

/** Receipts are shown this long, in milliseconds. */
const RECEIPT_MS = 24 * 3_600_000;

/** Takes whose tab was closed or killed while recording become drafts; those without a sound, and old receipts, go. */
export async function recover(vault: Vault, now_ms = Date.now()): Promise<void> {
  for (const take of await vault.takes()) {
    // One that the browser cannot read at this moment keeps none of the others back.
    await tidy(vault, take, now_ms).catch(() => undefined);
  }
}

async function tidy(vault: Vault, take: Take, now_ms: number): Promise<void> {
  if (take.bubble && now_ms - take.bubble.sentAt_ms > RECEIPT_MS) await vault.remove(take.id);
  if (take.stage === "recording") await unlessHeld(take.id, () => conclude(vault, take.id));
}

/** A take that is recorded no more becomes a draft; one without a sound goes. Gives whether it was kept. */
export async function conclude(vault: Vault, id: string): Promise<boolean> {
  if (await vault.hasSound(id)) return (await vault.change(id, ended)) !== undefined;
  await vault.remove(id);
  return false;
}
