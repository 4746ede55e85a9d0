/** Plays exactly one stretch of the page's bubble, and tells which one is heard. */
export class Stretch {
  private readonly audio: HTMLAudioElement | null;
  private playing: { id: number; start_s: number; end_s: number } | null = null;
  private frame = 0;

  constructor(
    private readonly player: HTMLElement | null,
    private readonly tell: (id: number | null) => void,
  ) {
    this.audio = player?.querySelector("audio") ?? null;
    this.audio?.addEventListener("timeupdate", () => this.watch());
    this.audio?.addEventListener("pause", () => this.over());
  }

  /** Plays it, or ends it when it is the one that is heard. */
  toggle(id: number, start_s: number, end_s: number): void {
    if (!this.audio) return;
    const again = this.playing?.id === id;
    this.stop();
    if (again) return;
    this.playing = { id, start_s, end_s };
    this.tell(id);
    this.start(start_s);
    this.step();
  }

  stop(): void {
    if (this.playing) this.audio?.pause();
    this.over();
  }

  private start(start_s: number): void {
    const player = this.player as (HTMLElement & { playFrom?: (position_s: number) => unknown }) | null;
    if (player?.playFrom) void player.playFrom(start_s);
    else if (this.audio) {
      this.audio.currentTime = start_s;
      void this.audio.play().catch(() => this.over());
    }
  }

  /** `timeupdate` comes four times a second only: every frame is looked at while the page is seen. */
  private step(): void {
    this.watch();
    if (this.playing) this.frame = requestAnimationFrame(() => this.step());
  }

  private watch(): void {
    const { audio, playing } = this;
    if (!audio || !playing || audio.seeking) return;
    if (audio.currentTime >= playing.end_s) this.stop();
    else if (audio.currentTime < playing.start_s - 1) this.over(); // the person went elsewhere: let it play
  }

  private over(): void {
    cancelAnimationFrame(this.frame);
    if (!this.playing) return;
    this.playing = null;
    this.tell(null);
  }
}
