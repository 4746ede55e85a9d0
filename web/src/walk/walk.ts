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
/** In a tunnel a question may hang for minutes, and still do so on the other side. */
const PATIENCE_MS = 20_000;
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
  /** What was told to come, and has not begun. */
  private announced: Voice | null = null;
  /** What did not come the last time, though it was not known whether the house was there. */
  private missed: Voice | null = null;
  private reason = "";
  private isOn = false;
  /** Somebody paused, or a finger is needed: nothing begins by itself. */
  private isHeld = false;
  private isElsewhere = false;
  private looks = 0;
  private turns = 0;
  private stepTimer = 0;
  private lookTimer = 0;
  private unfollow: (() => void) | null = null;

  constructor(element: HTMLElement) {
    const hands = { previous: () => this.back(), next: () => void this.step() };
    this.sound = new WalkSound({
      ...hands,
      ended: () => this.goOn(),
      failed: () => this.failed(),
      changed: () => this.show(),
      paused: () => this.hold(),
      resumed: () => this.isHeld && this.resume(),
    });
    this.desk = new Desk(element, {
      ...hands,
      started: () => this.pressed(),
      placed: (place) => this.placed(place),
      returned: () => this.follow(),
    });
    this.show();
  }

  /** The big button: starts, pauses, goes on. */
  private pressed(): void {
    if (!this.isOn) this.start();
    else if (this.isPaused) this.resume();
    else this.hold();
  }

  private start(): void {
    this.isOn = true;
    this.sound.wake();
    this.follow();
    this.show();
  }

  /** What plays stops, and what was about to begin does not. */
  private hold(): void {
    this.isHeld = true;
    this.settle();
    this.sound.pause();
    this.show();
  }

  private resume(): void {
    this.isHeld = false;
    this.sound.wake();
    // Before the first look there is nothing to step to: the look steps.
    if (!this.playing && this.around) void this.step();
    this.show();
  }

  private get isPaused(): boolean {
    return this.isHeld || this.sound.isPaused;
  }

  /** Where this device is, from here on. */
  private follow(): void {
    this.desk.say(text("walk.locating"));
    this.unfollow?.();
    this.unfollow = follow("street", (to) => this.arrived(to), (why) => this.lost(why));
  }

  /** Somewhere else than where one is: nobody is followed any more. */
  private placed(place: NamedPlace): void {
    this.unfollow?.();
    this.isOn = this.isElsewhere = true;
    if (!this.playing) {
      this.isHeld = false;
      this.sound.wake();
    }
    this.moved(snap(place, PRECISION_OF_NAMES) as Point);
  }

  private arrived(at: Point): void {
    this.isElsewhere = false;
    this.moved(at);
  }

  private moved(to: Point): void {
    this.here = to;
    this.reason = "";
    void this.look();
  }

  private lost(why: Unknown): void {
    if (this.isElsewhere) return this.desk.say(text(`picker.${why}`));
    if (this.here) return this.desk.say(text("walk.lost"));
    this.reason = text(`picker.${why}`);
    void this.look();
  }

  /** Looks what lies around; what plays goes on, and so does what was told to come, while it still is what comes. */
  private async look(): Promise<void> {
    clearTimeout(this.lookTimer);
    const number = (this.looks += 1);
    try {
      const found = await lookAround(ask, this.here, (code) => this.queue.isHeard(code));
      if (number !== this.looks) return;
      this.around = found;
      this.queue.offer(found.voices, this.here);
    } catch {
      if (number !== this.looks) return;
      this.missed = null; // the house was away, not that voice alone
      this.desk.say(text("walk.failed"));
      return this.lookAgain(AGAIN_MS);
    }
    if (this.playing || this.isHeld) this.tellAround();
    else if (!this.announced) await this.step();
    else if (this.announced.code !== this.queue.coming?.code) this.goOn();
  }

  private lookAgain(pause_ms: number): void {
    clearTimeout(this.lookTimer);
    this.lookTimer = window.setTimeout(() => void this.look(), pause_ms);
  }

  /** After a voice: the next one, after a moment in which it is told. */
  private goOn(): void {
    this.settle();
    this.playing = this.missed = null;
    const { coming } = this.queue;
    if (!coming) return void this.step();
    const words = told(coming, this.here);
    this.desk.announce(words);
    if (document.hidden) return void this.step();
    this.announced = coming;
    void this.sound.hush();
    const turn = this.turns;
    void this.desk.speak(words).then(() => turn === this.turns && this.stepSoon());
  }

  /** A voice did not come: without the house it is waited for; one that does not come from a house that answers is left. */
  private failed(): void {
    const voice = this.playing;
    this.playing = null;
    if (!this.isHeld) void this.sound.hush();
    if (voice === this.missed) {
      this.desk.say(text("walk.sound_failed"));
      return this.stepSoon();
    }
    this.missed = voice;
    this.queue.again();
    void this.look();
  }

  private stepSoon(): void {
    clearTimeout(this.stepTimer);
    this.stepTimer = window.setTimeout(() => void this.step(), GAP_MS);
  }

  /** Nothing that was about to begin does. */
  private settle(): void {
    clearTimeout(this.stepTimer);
    this.turns += 1;
    this.announced = null;
    this.desk.hush();
  }

  /** The next voice; where all is heard, looks further, and in the end waits in silence. */
  private async step(): Promise<void> {
    this.settle();
    this.isHeld = false;
    const voice = this.queue.next();
    if (voice) return this.play(voice);
    this.playing = null;
    void this.sound.hush();
    if (this.around?.kind !== "nothing") return this.look();
    this.desk.say(text("walk.nothing"));
    this.show();
    this.lookAgain(AGAIN_MS * 3);
  }

  private back(): void {
    const voice = this.queue.previous();
    if (voice) void this.play(voice);
  }

  private async play(voice: Voice): Promise<void> {
    this.settle();
    this.isHeld = false;
    this.playing = voice;
    this.desk.announce(told(voice, this.here));
    this.tellAround();
    if (!(await this.sound.put(voice, voice.title || text("walk.untitled", { channel: voice.channel.title })))) {
      this.isHeld = true;
      this.desk.say(text("walk.tap"));
    }
    this.show();
  }

  private tellAround(): void {
    this.desk.say([this.reason, toldAround(this.around, this.here)].filter(Boolean).join(" "));
    this.reason = "";
    this.show();
  }

  private show(): void {
    this.desk.show({
      isOn: this.isOn,
      isPaused: this.isPaused,
      isElsewhere: this.isElsewhere,
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
  const answer = await fetch(`/api/bubbles?${query}`, { credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Answer;
}
