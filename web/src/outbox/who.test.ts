import { expect, it, vi } from "vitest";
import { whoIsHere } from "./who";

it("gives a dead line up, so that nobody waits for it for ever", async () => {
  const patience = new AbortController();
  vi.spyOn(AbortSignal, "timeout").mockReturnValue(patience.signal);
  vi.stubGlobal("fetch", (_: string, { signal }: { signal: AbortSignal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  const asked = whoIsHere();
  patience.abort();
  expect(await asked).toBeNull();
});
