import { Beacon } from "./beacon";
import { Script } from "./script";
import { text } from "./texts";
import { clock, startOf } from "./times";

/**
 * Around a native `<audio controls>`, which plays without us: a waveform to seek in, the words in step, one player at
 * a time, and the beacon. The page brings all the markup; what needs this script is `hidden` until it runs.
 */
export class BubblePlayer extends HTMLElement {
  private static current: BubblePlayer | null = null;

  private audio!: HTMLAudioElement;
  private button!: HTMLButtonElement;
  private seek!: HTMLInputElement;
  private clock!: HTMLElement;
  private notice!: HTMLElement;
  private beacon!: Beacon;
  private script: Script | null = null;
  private frame = 0;

  connectedCallback(): void {
    if (this.audio) return;
    this.audio = this.find("audio");
    this.button = this.find("button");
    this.seek = this.find("input");
    this.clock = this.find("[data-clock]");
    this.notice = this.find("[role=status]");
    this.beacon = new Beacon(this.getAttribute("code") ?? "");
    this.takeOver();
    this.listen();
    this.follow();
    this.show();
  }

  /** Plays from a position, in seconds. */
  playFrom(position_s: number): void {
    this.moveTo(position_s);
    this.play();
  }

  private get duration_s(): number {
    return Number(this.getAttribute("duration")) || 0;
  }

  private takeOver(): void {
    this.audio.controls = false;
    for (const part of this.querySelectorAll<HTMLElement>("[data-enhanced]")) part.hidden = false;
    this.toggleAttribute("enhanced", true);
  }

  private listen(): void {
    const { audio, beacon } = this;
    this.button.addEventListener("click", () => (audio.paused ? this.play() : audio.pause()));
    this.seek.addEventListener("input", () => this.moveTo(Number(this.seek.value)));
    this.querySelector("select")?.addEventListener("change", (event) => {
      audio.playbackRate = audio.defaultPlaybackRate = Number((event.target as HTMLSelectElement).value);
    });
    audio.addEventListener("playing", () => beacon.started(audio.currentTime));
    audio.addEventListener("timeupdate", () => this.moved());
    audio.addEventListener("seeking", () => beacon.jumped());
    audio.addEventListener("seeked", () => !audio.paused && beacon.started(audio.currentTime));
    audio.addEventListener("pause", () => audio.ended || beacon.stopped());
    audio.addEventListener("ended", () => beacon.ended());
    for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, () => this.show());
    // The browser tries each source in turn: when the last one fails, none is left.
    audio.querySelector("source:last-of-type")?.addEventListener("error", () => this.failed());
    addEventListener("pagehide", () => !audio.paused && beacon.stopped());
  }

  /** The page's own bubble keeps step with its words, and starts where the address says. */
  private follow(): void {
    const words = document.getElementById(this.getAttribute("words") ?? "");
    if (words) this.script = new Script(words, (start_s) => this.playFrom(start_s));
    if (!this.hasAttribute("main")) return;
    const start = () => {
      const start_s = startOf(location.hash);
      if (start_s !== null) this.moveTo(start_s);
    };
    addEventListener("hashchange", start);
    start();
  }

  private play(): void {
    this.notice.textContent = "";
    if (BubblePlayer.current !== this) BubblePlayer.current?.audio.pause();
    BubblePlayer.current = this;
    if (this.audio.networkState === HTMLMediaElement.NETWORK_NO_SOURCE) this.tryAgain();
    this.audio.play().catch((error: unknown) => {
      // A pause right after the start is no failure.
      if (!(error instanceof DOMException && error.name === "AbortError")) this.failed();
    });
  }

  private tryAgain(): void {
    const at_s = this.audio.currentTime;
    this.audio.load();
    this.audio.currentTime = at_s;
  }

  private failed(): void {
    this.audio.pause();
    this.notice.textContent = text("player.failed");
  }

  private moveTo(position_s: number): void {
    this.audio.currentTime = Math.min(Math.max(position_s, 0), this.duration_s);
    this.tell();
    this.draw();
  }

  private moved(): void {
    if (!this.audio.seeking) this.beacon.moved(this.audio.currentTime, this.audio.playbackRate);
    this.tell();
  }

  /** Whether it plays; while it does, the waveform is drawn anew with every frame. */
  private show(): void {
    const playing = !this.audio.paused && !this.audio.ended;
    this.toggleAttribute("playing", playing);
    this.button.setAttribute("aria-label", text(playing ? "player.pause" : "player.play", { name: this.getAttribute("name") ?? "" }));
    cancelAnimationFrame(this.frame);
    const step = () => {
      this.draw();
      this.frame = requestAnimationFrame(step);
    };
    if (playing) step();
    else this.draw();
  }

  private draw(): void {
    const heard = this.duration_s ? Math.min(this.audio.currentTime / this.duration_s, 1) : 0;
    this.style.setProperty("--heard", String(heard));
  }

  /** The position in figures, for the eye and for assistive technology, and the line that is said. */
  private tell(): void {
    const at_s = this.audio.currentTime;
    this.clock.textContent = clock(at_s);
    this.seek.value = String(Math.floor(at_s));
    this.seek.setAttribute("aria-valuetext", text("player.reached", { at: clock(at_s), length: clock(this.duration_s) }));
    this.script?.show(at_s);
  }

  private find<Kind extends HTMLElement>(selector: string): Kind {
    const found = this.querySelector<Kind>(selector);
    if (!found) throw new Error(`<bubble-player> lacks ${selector}`);
    return found;
  }
}
