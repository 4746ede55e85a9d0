const FIRST_S = 5;
const SLOWER = 1.4;
const LONGEST_S = 60;
const AWAITED = new Set(["waiting", "running"]);

/** Looks, ever more slowly, whether the words that the page waits for have come, and says so without a jump. */
export function awaitWords(notice: HTMLElement): void {
  const address = notice.dataset["awaits"] ?? "";
  let pause_s = FIRST_S;
  const look = async (): Promise<void> => {
    if (!document.hidden && (await haveCome(address))) {
      notice.querySelector<HTMLElement>("[data-come]")?.removeAttribute("hidden");
      return;
    }
    pause_s = Math.min(pause_s * SLOWER, LONGEST_S);
    setTimeout(() => void look(), pause_s * 1000);
  };
  setTimeout(() => void look(), pause_s * 1000);
}

async function haveCome(address: string): Promise<boolean> {
  try {
    const answer = await fetch(address);
    if (!answer.ok) return false;
    const { state } = (await answer.json()) as { state: string };
    return !AWAITED.has(state);
  } catch {
    return false; // offline: look again later
  }
}
