// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import { setFlag } from "./flag";
import { Outbox } from "./outbox";
import { Vault } from "./vault";

const flush = vi.fn(async () => undefined);
const nextDue_ms = vi.fn(async () => null);
vi.mock("./sender", () => ({
  Sender: class {
    flush = flush;
    nextDue_ms = nextDue_ms;
  },
}));
vi.mock("./vault", () => ({ Vault: { open: vi.fn() } }));

afterEach(() => vi.useRealTimers());

it("is opened again where storage did not answer at first, and comes back after trouble", async () => {
  vi.useFakeTimers();
  setFlag(true);
  vi.mocked(Vault.open).mockRejectedValueOnce(new DOMException("", "UnknownError"));
  await expect(Outbox.shared()).rejects.toThrow();
  const outbox = await Outbox.shared();
  expect(await Outbox.shared()).toBe(outbox);
  await outbox.flush();
  flush.mockRejectedValueOnce(new DOMException("", "UnknownError"));
  await expect(outbox.flush()).rejects.toThrow();
  const tries = flush.mock.calls.length;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(flush.mock.calls.length).toBe(tries + 1);
});
