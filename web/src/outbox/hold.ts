/**
 * Who works on a take holds it: the tab that records it, for as long as it lives, and the tab that sends it. However a
 * tab dies, the browser lets go. Where there are no locks, nothing is ever held.
 */
export function holdTake(id: string): () => void {
  let release!: () => void;
  const held = new Promise<void>((resolve) => (release = resolve));
  void navigator.locks?.request(lockOf(id), () => held);
  return release;
}

/** Waits until nobody holds the take, and does the work holding it. */
export async function whileHolding(id: string, work: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request(lockOf(id), work);
  else await work();
}

/** Does the work, holding the take, unless another holds it; gives whether it was done. */
export async function unlessHeld(id: string, work: () => Promise<unknown>): Promise<boolean> {
  const attempt = async (lock: unknown): Promise<boolean> => {
    if (lock) await work();
    return Boolean(lock);
  };
  return navigator.locks ? navigator.locks.request(lockOf(id), { ifAvailable: true }, attempt) : attempt(true);
}

function lockOf(id: string): string {
  return `bubbles-take-${id}`;
}
