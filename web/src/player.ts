import { Beacon } from "./beacon";
import { addControls, type Controls } from "./controls";
import { wished } from "./keys";
import { takeLockScreen, tellLockScreen, type Worked } from "./lock-screen";
import { language, text } from "./texts";
import { clock, startOf } from "./times";

/**
 * The one player, of a page, a list, the map and the embed. Around a native `<audio controls>`, which plays without us:
 * a waveform to seek in, speed, keys, the lock screen, one player at a time, and the beacon.
 *
 * Attributes: `code` (without one, nothing is counted), `duration` in seconds, `name`, `by`; `main` is the page's own
 * bubble, which starts where the address says; `speed` offers a choice of speeds; `anonymous` sends no cookie.
 * Events, all bubbling: `bubble-play`, `bubble-pause`, `bubble-ended`, `bubble-failed`, and `bubble-time`, whose detail
 * is the position in seconds, ten times a second while it plays and whenever it jumps.
 */
export class BubblePlayer extends HTMLElement implements Worked {
  private static current: BubblePlayer | null = null;

  private sound!: HTMLAudioElement;
  private controls!: Controls;
  private beacon: Beacon | null = null;
  private frame = 0;
  private told_s = -1;
  /** Where the sound was asked for anew, in seconds. */
  private renewedAt_s = -Infinity;
  /** Whether the listener wants it to play: a browser may pause what breaks off, and says nothing of it. */
  private wanted = false;
  private readonly leave = () => !this.sound.paused && this.beacon?.left();
  private readonly toAddress = () => this.startAt(startOf(location.hash));

  connectedCallback(): void {
    if (!this.sound) this.setUp();
    addEventListener("pagehide", this.leave);
    if (!this.hasAttribute("main")) return;
    addEventListener("hashchange", this.toAddress);
    this.toAddress();
  }

  disconnectedCallback(): void {
    removeEventListener("pagehide", this.leave);
    removeEventListener("hashchange", this.toAddress);
    // An element that is only moved is connected again at once.
    queueMicrotask(() => this.isConnected || this.pause());
  }

  /** Plays on, and pauses whichever other player of the page plays. Whether sound comes. */
  async play(): Promise<boolean> {
    this.controls.notice.textContent = "";
    if (BubblePlayer.current !== this) BubblePlayer.current?.pause();
    BubblePlayer.current = this;
    if (this.sound.error || this.sound.networkState === HTMLMediaElement.NETWORK_NO_SOURCE) this.tryAgain();
    try {
      await this.sound.play();
      return true;
    } catch (error) {
      // A pause right after the start is no failure.
      if (!(error instanceof DOMException && error.name === "AbortError")) this.failed();
      return false;
    }
  }

  pause(): void {
    this.sound.pause();
  }

  /** Plays from a position, in seconds. */
  playFrom(position_s: number): Promise<boolean> {
    this.moveTo(position_s);
    return this.play();
  }

  /** Goes to a position, in seconds, playing or not. */
  moveTo(position_s: number): void {
    this.sound.currentTime = Math.min(Math.max(position_s, 0), this.duration_s);
    this.tell();
    this.draw();
  }

  get playing(): boolean {
    return !this.sound.paused && !this.sound.ended;
  }

  get at_s(): number {
    return this.sound.currentTime;
  }

  get duration_s(): number {
    return Number(this.getAttribute("duration")) || 0;
  }

  get name(): string {
    return this.getAttribute("name") ?? "";
  }

  get by(): string {
    return this.getAttribute("by") ?? "";
  }

  get rate(): number {
    return this.sound.playbackRate;
  }

  set rate(rate: number) {
    this.sound.playbackRate = this.sound.defaultPlaybackRate = rate;
    if (this.controls.speed) this.controls.speed.value = String(rate);
    else this.controls.notice.textContent = text("player.rate", { rate: rate.toLocaleString(language()) });
  }

  private setUp(): void {
    const sound = this.querySelector("audio");
    if (!sound) throw new Error("<bubble-player> lacks its <audio>");
    this.sound = sound;
    sound.controls = false;
    this.controls = addControls(this, this.name, this.duration_s, this.hasAttribute("speed"));
    const code = this.getAttribute("code");
    if (code) this.beacon = new Beacon(code, this.hasAttribute("anonymous"));
    this.toggleAttribute("enhanced", true);
    this.obey();
    this.follow();
    this.show();
  }

  /** What the listener asks. */
  private obey(): void {
    const { play, seek, speed } = this.controls;
    play.addEventListener("click", () => this.toggle());
    seek.addEventListener("input", () => this.moveTo(Number(seek.value)));
    speed?.addEventListener("change", () => (this.rate = Number(speed.value)));
    this.addEventListener("keydown", (event) => this.keyed(event));
  }

  /** What the sound does. */
  private follow(): void {
    const { sound, beacon } = this;
    sound.addEventListener("playing", () => beacon?.started(this.at_s));
    sound.addEventListener("timeupdate", () => this.moved());
    sound.addEventListener("seeking", () => beacon?.jumped());
    sound.addEventListener("seeked", () => !sound.paused && beacon?.started(this.at_s));
    sound.addEventListener("pause", () => sound.ended || beacon?.stopped());
    sound.addEventListener("ended", () => beacon?.ended());
    for (const event of ["play", "pause", "ended", "ratechange", "seeked"]) {
      sound.addEventListener(event, () => this.show());
    }
    for (const event of ["play", "pause", "ended"]) {
      sound.addEventListener(event, () => {
        this.wanted = event === "play";
        this.announce(`bubble-${event}`);
      });
    }
    sound.addEventListener("play", () => takeLockScreen(this));
    for (const event of ["waiting", "playing", "pause", "error"]) {
      sound.addEventListener(event, () => this.toggleAttribute("waiting", event === "waiting"));
    }
    sound.addEventListener("error", () => this.broke());
    // The browser tries each source in turn: when the last one fails, none is left.
    sound.querySelector("source:last-of-type")?.addEventListener("error", () => this.failed());
  }

  private keyed(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // A select has keys of its own; a button takes the space bar as a click.
    if (target instanceof HTMLSelectElement || (event.key === " " && target instanceof HTMLButtonElement)) return;
    const wish = wished(event.key, this);
    if (wish === null) return;
    event.preventDefault();
    if (wish === "toggle") this.toggle();
    else if ("rate" in wish) this.rate = wish.rate;
    else this.moveTo(wish.to_s);
  }

  private toggle(): void {
    if (this.playing) this.pause();
    else void this.play();
  }

  private startAt(start_s: number | null): void {
    if (start_s !== null) this.moveTo(start_s);
  }

  private tryAgain(): void {
    const { at_s } = this;
    this.sound.load();
    this.sound.currentTime = at_s;
  }

  /**
   * Sound that had come breaks off. The house may have led us to a store by a link that is good for a minute: it is
   * asked for another, once for each second of the sound.
   */
  private broke(): void {
    const { at_s } = this;
    if (Math.abs(at_s - this.renewedAt_s) < 1) {
      this.failed();
      return;
    }
    this.renewedAt_s = at_s;
    this.beacon?.stopped();
    this.tryAgain();
    if (this.wanted) void this.play();
  }

  private failed(): void {
    this.wanted = false;
    this.pause();
    this.controls.notice.textContent = text("player.failed");
    this.announce("bubble-failed");
  }

  private moved(): void {
    if (!this.sound.seeking) this.beacon?.moved(this.at_s, this.rate);
    this.tell();
  }

  /** Whether it plays; while it does, the waveform is drawn anew with every frame. */
  private show(): void {
    const { playing } = this;
    this.toggleAttribute("playing", playing);
    this.controls.play.setAttribute("aria-label", text(playing ? "player.pause" : "player.play", { name: this.name }));
    if (BubblePlayer.current === this) tellLockScreen(this, playing);
    cancelAnimationFrame(this.frame);
    const step = () => {
      this.draw();
      this.frame = requestAnimationFrame(step);
    };
    if (playing) step();
    else this.draw();
  }

  private draw(): void {
    const heard = this.duration_s ? Math.min(this.at_s / this.duration_s, 1) : 0;
    this.style.setProperty("--heard", String(heard));
    const tenth_s = Math.floor(this.at_s * 10) / 10;
    if (tenth_s === this.told_s) return;
    this.told_s = tenth_s;
    this.announce("bubble-time", this.at_s);
  }

  /** The position in figures, for the eye and for assistive technology. */
  private tell(): void {
    const { seek } = this.controls;
    const at = clock(this.at_s);
    this.controls.clock.textContent = at;
    seek.value = String(Math.floor(this.at_s));
    seek.setAttribute("aria-valuetext", text("player.reached", { at, length: clock(this.duration_s) }));
  }

  private announce(event: string, detail?: number): void {
    this.dispatchEvent(new CustomEvent(event, { bubbles: true, detail }));
  }
}

if (!customElements.get("bubble-player")) customElements.define("bubble-player", BubblePlayer);
