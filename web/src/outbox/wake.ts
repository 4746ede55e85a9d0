import { isFlagUp } from "./flag";

/** On every page: sends what waits, whichever page comes first. Nothing is loaded or stored for who never recorded. */
export async function wakeOutbox(): Promise<void> {
  if (!isFlagUp()) return;
  const { Outbox } = await import("./outbox");
  await Outbox.shared();
}
