const FIRST_S = 5;
const SLOWER = 1.4;
const LONGEST_S = 60;
const AWAITED = new Set(["processing", "waiting", "running"]);

/**
 * Looks, ever more slowly, whether what the page waits for has come. Sound: the page is shown anew. Words: the page
 * says so and stays, since someone may be listening.
 */
export function awaitState(notice: HTMLElement): void {
  const address = notice.dataset["awaits"] ?? "";
  let pause_s = FIRST_S;
  const look = async (): Promise<void> => {
    if (!document.hidden && (await haveCome(address))) {
      const news = notice.querySelector<HTMLElement>("[data-come]");
      if (news) news.hidden = false;
      else location.reload();
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
