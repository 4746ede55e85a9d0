/** What the house tells of a bubble on its way. In the queue, position 0 is next or under way. */
export interface Journey {
  readonly state: string;
  /** The code, for its team. */
  readonly refused_reason?: string | null;
  readonly transcript: { readonly state: string; readonly waiting_for: string | null };
  readonly queue: {
    readonly step: string;
    readonly position: number;
    readonly eta_s: number | null;
    readonly waiting_for: string | null;
  } | null;
}

const POLL_MS = 4_000;
const POLL_LONGEST_MS = 60_000;
const ENDED = new Set(["ready", "failed", "refused", "withdrawn"]);

/** Whether nothing more will come. */
export function hasEnded({ state, transcript }: Journey): boolean {
  return ENDED.has(state) || transcript.state === "failed";
}

/** Follows a bubble until its journey has ended; gives what ends it earlier. */
export function follow(code: string, seen: (journey: Journey) => void): () => void {
  const source = new EventSource(`/api/bubbles/${code}/events`);
  const stopping = new AbortController();
  const stop = (): void => {
    source.close();
    stopping.abort();
  };
  source.addEventListener("state", ({ data }: MessageEvent<string>) => {
    const journey = JSON.parse(data) as Journey;
    seen(journey);
    if (hasEnded(journey)) stop();
  });
  source.addEventListener("error", () => {
    // The browser comes again by itself, unless it was refused: there are only so many seats.
    if (source.readyState === EventSource.CLOSED) void poll(code, seen, stopping.signal);
  });
  return stop;
}

/** Asks again and again, ever more slowly. */
async function poll(code: string, seen: (journey: Journey) => void, signal: AbortSignal): Promise<void> {
  for (let wait_ms = POLL_MS; !signal.aborted; wait_ms = Math.min(wait_ms * 1.5, POLL_LONGEST_MS)) {
    const journey = await look(code, signal);
    if (journey) seen(journey);
    if (journey && hasEnded(journey)) return;
    await new Promise((resolve) => setTimeout(resolve, wait_ms));
  }
}

async function look(code: string, signal: AbortSignal): Promise<Journey | null> {
  try {
    const answer = await fetch(`/api/bubbles/${code}`, { signal });
    return answer.ok ? ((await answer.json()) as Journey) : null;
  } catch {
    return null;
  }
}
