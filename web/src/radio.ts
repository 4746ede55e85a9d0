import { BubblePlayer } from "./player";
import { text } from "./texts";

/** Plays the bubbles of a list one after another, once someone asks for it; whoever pauses one turns it off. */
export class Radio {
  private on = false;

  constructor(
    private readonly list: HTMLElement,
    private readonly button: HTMLButtonElement,
  ) {
    button.addEventListener("click", () => (this.on ? this.stop() : this.start()));
    list.addEventListener("bubble-play", () => this.show());
    list.addEventListener("bubble-ended", (event) => this.next(event.target));
    list.addEventListener("bubble-failed", (event) => this.next(event.target));
    // When the next one plays or another was chosen, the radio stays on.
    list.addEventListener("bubble-pause", () => setTimeout(() => this.playing || this.off()));
    // The first may come once the page is open.
    new MutationObserver(() => this.show()).observe(list, { childList: true });
    this.show();
  }

  private get players(): BubblePlayer[] {
    return [...this.list.querySelectorAll<BubblePlayer>("bubble-player")];
  }

  private get playing(): BubblePlayer | undefined {
    return this.players.find(({ playing }) => playing);
  }

  private start(): void {
    this.on = true;
    if (this.playing) this.show();
    else void this.players[0]?.playFrom(0);
  }

  private stop(): void {
    this.off();
    this.playing?.pause();
  }

  private next(ended: EventTarget | null): void {
    if (!this.on) return;
    const { players } = this;
    const following = players[players.indexOf(ended as BubblePlayer) + 1];
    if (!following) return this.off();
    following.closest(".card")?.scrollIntoView({ block: "nearest" });
    void following.playFrom(0);
  }

  private off(): void {
    this.on = false;
    this.show();
  }

  private show(): void {
    this.button.hidden = this.players.length === 0;
    this.button.setAttribute("aria-pressed", String(this.on));
    this.button.textContent = text(this.on ? "home.stop" : "home.listen");
  }
}
