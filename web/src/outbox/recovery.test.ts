import "fake-indexeddb/auto";
import { beforeEach, expect, it, vi } from "vitest";
import { fakeLocks } from "./fake-locks";
import { holdTake } from "./hold";
import { conclude, recover } from "./recovery";
import { newTake, type Take } from "./take";
import { Vault } from "./vault";

let vault: Vault;
beforeEach(async () => {
  vi.stubGlobal("navigator", { locks: fakeLocks() });
  vault?.close();
  indexedDB.deleteDatabase("bubbles-outbox");
  vault = await Vault.open();
});

async function recording(given: Partial<Take> = {}): Promise<Take> {
  const take = newTake({ type: "audio/webm", ...given });
  await vault.put(take);
  return take;
}

it("finds the take of a tab that died, with all that was kept", async () => {
  const { id } = await recording();
  await vault.append(id, 0, new ArrayBuffer(7));
  await recover(vault);
  expect(await vault.take(id)).toMatchObject({ stage: "draft" });
  expect((await vault.original(id)).size).toBe(7);
});

it("leaves the take of a living tab alone, until that tab lets go", async () => {
  const { id } = await recording();
  await vault.append(id, 0, new ArrayBuffer(7));
  const release = holdTake(id);
  await recover(vault);
  expect(await vault.take(id)).toMatchObject({ stage: "recording" });
  release();
  // As soon as the browser has seen it let go.
  await new Promise((resolve) => setTimeout(resolve));
  await recover(vault);
  expect(await vault.take(id)).toMatchObject({ stage: "draft" });
});

it("keeps nothing of a take that heard nothing", async () => {
  await recording();
  await recover(vault);
  expect(await vault.takes()).toEqual([]);
});

it("finds the others when one cannot be read", async () => {
  const [one, other] = [await recording({ recordedAt: "2026-02-01" }), await recording({ recordedAt: "2026-01-01" })];
  await vault.append(other.id, 0, new ArrayBuffer(7));
  const count = vi.spyOn(vault, "hasSound").mockRejectedValueOnce(new DOMException("", "NotReadableError"));
  await recover(vault);
  count.mockRestore();
  expect((await vault.takes()).map(({ id, stage }) => [id, stage])).toEqual([
    [one.id, "recording"],
    [other.id, "draft"],
  ]);
});

it("leaves a take as it is that has gone its way before its tab heard of the end", async () => {
  const { id } = await recording({ stage: "queued" });
  await vault.append(id, 0, new ArrayBuffer(7));
  expect(await conclude(vault, id)).toBe(true);
  expect(await vault.take(id)).toMatchObject({ stage: "queued" });
});

it("forgets receipts after a day", async () => {
  const bubble = { code: "C", url: "U", sentAt_ms: 0 };
  await recording({ stage: "sent", bubble });
  await recover(vault, 23 * 3_600_000);
  expect(await vault.takes()).toHaveLength(1);
  await recover(vault, 25 * 3_600_000);
  expect(await vault.takes()).toHaveLength(0);
});
