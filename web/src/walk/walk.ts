import { snap, type Point } from "../cells";
import { follow, type Unknown } from "../here";
import type { NamedPlace } from "../place-search";
import { text } from "../texts";
import { lookAround, type Answer, type Around } from "./around";
import { Desk } from "./desk";
import { Queue, type Voice } from "./queue";
import { WalkSound } from "./sound";
import { told, toldAround, toldPlace } from "./telling";

/** Between two voices, to tell them apart and to read which comes; none behind a locked screen, where time stands. */
const GAP_MS = 1_400;
const AGAIN_MS = 10_000;
/** What one is given whose place is a name: it is no finer than a name. */
const PRECISION_OF_NAMES = "neighbourhood";

/** A walk: where I am, what lies around, and what is heard of it, one after another. */
export class Walk {
  private readonly desk: Desk;
  private readonly queue = new Queue();
  private readonly sound: WalkSound;
  private here: Point | null = null;
  private around: Around | null = null;
  private playing: Voice | null = null;
  private reason = "";
  private isOn = false;
  private looks = 0;
  private timer = 0;
  private unfollow: (() => void) | null = null;

  constructor(element: HTMLElement) {
    const listening = {
      ended: () => this.goOn(),
      failed: () => this.skip(text("walk.sound_failed")),
      changed: () => this.show(),
      previous: () => this.back(),
      next: () => void this.step(),
    };
    this.sound = new WalkSound(listening);
    this.desk = new Desk(element, {
      started: () => this.pressed(),
      previous: listening.previous,
      next: listening.next,
      placed: (place) => this.placed(place),
    });
    this.show();
  }

  /** The big button: starts, pauses, goes on. */
  private pressed(): void {
    if (!this.isOn) return this.start();
    if (this.sound.isPaused) this.sound.wake();
    else this.sound.pause();
    this.show();
  }

  private start(): void {
    this.isOn = true;
    this.sound.wake();
    this.desk.say(text("walk.locating"));
    this.unfollow = follow("street", (to) => this.moved(to), (why) => this.lost(why));
    this.show();
  }

  /** Somewhere else than where one is: nobody is followed any more. */
  private placed(place: NamedPlace): void {
    this.unfollow?.();
    this.isOn = true;
    if (!this.playing) this.sound.wake();
    this.moved(snap(place, PRECISION_OF_NAMES) as Point);
  }

  private moved(to: Point): void {
    this.here = to;
    this.reason = "";
    void this.look();
  }

  private lost(why: Unknown): void {
    if (this.here) return this.desk.say(text("walk.lost"));
    this.reason = text(`picker.${why}`);
    void this.look();
  }

  /** Looks what lies around; what plays goes on. */
  private async look(): Promise<void> {
    clearTimeout(this.timer);
    const number = (this.looks += 1);
    try {
      const found = await lookAround(ask, this.here, (code) => this.queue.isHeard(code));
      if (number !== this.looks) return;
      this.around = found;
      this.queue.offer(found.voices, this.here);
      if (this.playing) this.show();
      else await this.step();
    } catch {
      if (number !== this.looks) return;
      this.desk.say(text("walk.failed"));
      this.later(() => this.look(), AGAIN_MS);
    }
  }

  /** After a voice: the next one, after a moment in which it is told. */
  private goOn(): void {
    this.playing = null;
    const { coming } = this.queue;
    if (!coming) return void this.step();
    const words = told(coming, this.here);
    this.desk.announce(words);
    if (document.hidden) return void this.step();
    void this.sound.hush();
    void this.desk.speak(words).then(() => this.later(() => this.step(), GAP_MS));
  }

  private skip(why: string): void {
    this.desk.say(why);
    this.playing = null;
    this.later(() => this.step(), GAP_MS);
  }

  /** The next voice; where all is heard, looks further, and in the end waits in silence. */
  private async step(): Promise<void> {
    clearTimeout(this.timer);
    const voice = this.queue.next();
    if (voice) return this.play(voice);
    this.playing = null;
    void this.sound.hush();
    if (this.around?.kind !== "nothing") return this.look();
    this.desk.say(text("walk.nothing"));
    this.show();
    this.later(() => this.look(), AGAIN_MS * 3);
  }

  private back(): void {
    clearTimeout(this.timer);
    const voice = this.queue.previous();
    if (voice) void this.play(voice);
  }

  private async play(voice: Voice): Promise<void> {
    this.playing = voice;
    this.desk.say([this.reason, toldAround(this.around, this.here)].filter(Boolean).join(" "));
    this.desk.announce(told(voice, this.here));
    this.reason = "";
    this.show();
    if (!(await this.sound.put(voice, voice.title || text("walk.untitled", { channel: voice.channel.title })))) {
      this.desk.say(text("walk.tap"));
    }
    this.show();
  }

  private later(work: () => Promise<void>, pause_ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void work(), pause_ms);
  }

  private show(): void {
    this.desk.show({
      isOn: this.isOn,
      isPaused: this.sound.isPaused,
      playing: this.playing,
      where: this.playing ? toldPlace(this.playing, this.here) : "",
      at_s: this.sound.at_s,
      hasPrevious: this.queue.hasPrevious,
      here: this.here,
      around: this.around,
    });
  }
}

async function ask(query: URLSearchParams): Promise<Answer> {
  const answer = await fetch(`/api/bubbles?${query}`, { credentials: "omit" });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Answer;
}
