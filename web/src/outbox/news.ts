/** What tabs tell each other of the outbox. */
export type News =
  | { readonly kind: "changed"; readonly id: string }
  | { readonly kind: "progress"; readonly id: string; readonly sent: number }
  | { readonly kind: "who"; readonly handle: string | null };

type Listener = (news: News) => void;

/** Tells the listeners of this tab and, where the browser can, of all others. */
export class Noticeboard {
  private readonly channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("bubbles-outbox") : null;
  private readonly listeners = new Set<Listener>();

  constructor() {
    this.channel?.addEventListener("message", ({ data }: MessageEvent<News>) => this.tellHere(data));
  }

  tell(news: News): void {
    this.tellHere(news);
    this.channel?.postMessage(news);
  }

  listen(listener: Listener): void {
    this.listeners.add(listener);
  }

  private tellHere(news: News): void {
    for (const listener of this.listeners) listener(news);
  }
}
