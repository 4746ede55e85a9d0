import { Beacon } from "../beacon";
import { onLockScreen, takeLockScreen, tellLockScreen, type Worked } from "../lock-screen";
import type { Voice } from "./queue";

/** Half a second of nothing. */
const SILENCE = "/assets/silence.wav";

/** What a walk does when something happens to its sound. */
export interface Listening {
  ended(): void;
  failed(): void;
  /** Whether it plays, and how far it is. */
  changed(): void;
  /** Somebody or something paused it: a finger, the lock screen, a call. */
  paused(): void;
  /** It plays, perhaps by the lock screen. */
  resumed(): void;
  previous(): void;
  next(): void;
}

/**
 * The one audio element of a walk. Phones let an element that was once started by a finger go on by itself, also behind
 * a locked screen, but no other one: so voice after voice is put into it. Between them it plays silence, since a page
 * without sound is put to sleep.
 */
export class WalkSound implements Worked {
  private readonly audio = new Audio();
  private beacon: Beacon | null = null;
  private voice: Voice | null = null;
  name = "";
  readonly rate = 1;

  constructor(private readonly on: Listening) {
    const { audio } = this;
    audio.preload = "auto";
    audio.addEventListener("playing", () => this.beacon?.started(audio.currentTime));
    audio.addEventListener("timeupdate", () => this.moved());
    audio.addEventListener("seeking", () => this.beacon?.jumped());
    audio.addEventListener("pause", () => audio.ended || this.beacon?.stopped());
    audio.addEventListener("ended", () => this.ended());
    audio.addEventListener("error", () => this.voice && on.failed());
    for (const event of ["play", "pause"]) audio.addEventListener(event, () => this.told());
    // Events come late: by then another sound may have been put in.
    audio.addEventListener("pause", () => audio.paused && !audio.ended && on.paused());
    audio.addEventListener("play", () => audio.paused || on.resumed());
    addEventListener("pagehide", () => audio.paused || this.beacon?.left());
  }

  /** To be called while a finger is on the button: from here on the element may be played without one. */
  wake(): void {
    if (!this.voice) void this.hush();
    else void this.play();
  }

  /** Silence, for as long as it takes. */
  async hush(): Promise<boolean> {
    this.let();
    this.audio.loop = true;
    this.audio.src = SILENCE;
    return this.play();
  }

  /** Another voice, from its beginning. False when the browser wants a finger first. */
  async put(voice: Voice, name: string): Promise<boolean> {
    this.let();
    this.voice = voice;
    this.name = name;
    this.beacon = new Beacon(voice.code);
    this.audio.loop = false;
    this.audio.src = playable(this.audio, voice);
    takeLockScreen(this);
    onLockScreen("previoustrack", () => this.on.previous());
    onLockScreen("nexttrack", () => this.on.next());
    return this.play();
  }

  async play(): Promise<boolean> {
    try {
      await this.audio.play();
      return true;
    } catch (error) {
      return !(error instanceof DOMException && error.name === "NotAllowedError");
    }
  }

  pause(): void {
    this.audio.pause();
  }

  moveTo(position_s: number): void {
    this.audio.currentTime = Math.min(Math.max(position_s, 0), this.duration_s);
  }

  get isPaused(): boolean {
    return this.audio.paused;
  }

  get by(): string {
    return this.voice?.channel.title ?? "";
  }

  get at_s(): number {
    return this.voice ? this.audio.currentTime : 0;
  }

  get duration_s(): number {
    return this.voice?.duration_s ?? 0;
  }

  private let(): void {
    this.beacon?.stopped();
    this.beacon = null;
    this.voice = null;
  }

  private ended(): void {
    this.beacon?.ended();
    this.beacon = null;
    this.on.ended();
  }

  private moved(): void {
    if (!this.audio.seeking) this.beacon?.moved(this.audio.currentTime, this.audio.playbackRate);
    this.told();
  }

  private told(): void {
    if (this.voice) tellLockScreen(this, !this.audio.paused);
    this.on.changed();
  }
}

/** The address, from the root, of the first rendition that this browser plays. */
function playable(audio: HTMLAudioElement, { renditions }: Voice): string {
  const chosen = renditions.find(({ type }) => audio.canPlayType(type) !== "") ?? renditions[0];
  return chosen ? new URL(chosen.url, location.href).pathname : SILENCE;
}
