import { text } from "../texts";
import { clock } from "../times";
import { holdTake } from "../outbox/hold";
import { markOurs } from "../outbox/ours";
import { conclude } from "../outbox/recovery";
import { newTake, type Take } from "../outbox/take";
import type { Vault } from "../outbox/vault";
import { Awake } from "./awake";
import { Capture, type PauseReason, type StopReason } from "./capture";
import { Countdown, type Reading } from "./countdown";
import { Watchman, barOf, levelOf } from "./level";
import { find, show } from "../dom";
import { Held } from "./held";
import { recorderOf } from "./ladder";
import { Meter } from "./meter";
import { Hindered, openMicrophone, troubleBefore, troubleOf, unkept, whenAllowed, type Trouble } from "./microphone";
import { feel, sound, wearsHeadphones } from "./signals";
import { Strip } from "./strip";

export type DeckState = "idle" | "asking" | "recording" | "paused" | "keeping";

/** What the deck needs of its page. */
export interface DeckPage {
  /** Raises what the browser raises where it keeps nothing. */
  readonly vault: () => Promise<Vault>;
  readonly limit_s: number;
  readonly silence_dbfs: number;
  /** The handle of who is signed in, as far as it is known. */
  readonly handle: () => string | null;
  /** A take has ended and is kept. */
  readonly taken: (id: string, reason: StopReason) => void;
}

const LOOK_MS = 50;

/** The machine with the red button. */
export class Deck {
  private capture: Capture | null = null;
  private readonly awake = new Awake();
  private readonly strip: Strip;
  private readonly rec: HTMLButtonElement;
  private readonly pauseKey: HTMLButtonElement;
  private readonly chime: HTMLInputElement;

  constructor(
    private readonly root: HTMLElement,
    private readonly desk: DeckPage,
  ) {
    this.rec = find("[data-rec]", root);
    this.pauseKey = find("[data-pause]", root);
    this.chime = find("[data-chime]", root);
    this.strip = new Strip(find<SVGElement>("[data-strip]", root), desk.limit_s);
    this.rec.addEventListener("click", () => void (this.capture ? this.capture.end("person") : this.begin()));
    this.pauseKey.addEventListener("click", () => this.toggle());
    this.attendPage();
    this.reset();
  }

  /** Whether it neither records nor is about to: only then may anything else be opened or heard. */
  get isIdle(): boolean {
    return this.state === "idle";
  }

  /** A word from elsewhere on the page, where the eye is. */
  say(message: string): void {
    find("[data-notice]", this.root).textContent = message;
  }

  /** A browser that stores nothing for us cannot keep a take safe: better said before than after. */
  cannotKeep(): void {
    this.fail("storage");
  }

  focus(): void {
    this.rec.focus();
  }

  /** Asks for the microphone, and records. */
  async begin(): Promise<void> {
    if (!this.isIdle) return;
    const trouble = troubleBefore();
    if (trouble) return this.fail(trouble);
    this.enter("asking");
    const held = new Held();
    try {
      await this.record(held);
    } catch (error) {
      held.letGo();
      this.fail(troubleOf(error));
    }
  }

  private get state(): DeckState {
    return this.root.dataset["state"] as DeckState;
  }

  /** Raises what `troubleOf` reads, with whatever it took hold of by then in `held`. */
  private async record(held: Held): Promise<void> {
    const stream = await openMicrophone();
    held.add(() => stream.getTracks().forEach((track) => track.stop()));
    const recorder = recorderOf(stream);
    if (!recorder) throw new Hindered("unsupported");
    const meter = new Meter(stream);
    held.add(() => meter.close());
    const take = newTake({ type: recorder.mimeType, owner: this.desk.handle() });
    held.add(holdTake(take.id));
    const vault = await this.vaultWith(take);
    const capture = new Capture(stream, recorder, (number, piece) => vault.append(take.id, number, piece), {
      paused: (reason) => this.paused(reason),
      resumed: () => this.resumed(meter),
      stopped: (reason) => void this.stopped(vault, take, reason).finally(() => held.letGo()),
    });
    meter.whenInterrupted(() => capture.pause("interrupted"));
    capture.start();
    this.started(capture, meter);
  }

  /** The vault, once it knows of the take. */
  private async vaultWith(take: Take): Promise<Vault> {
    try {
      const vault = await this.desk.vault();
      await vault.put(take);
      markOurs(take.id);
      return vault;
    } catch (error) {
      throw unkept(error);
    }
  }

  private started(capture: Capture, meter: Meter): void {
    this.capture = capture;
    this.enter("recording");
    // Asked once there is something to lose; the answer changes nothing that we do.
    void navigator.storage?.persist?.();
    void this.awake.hold();
    void wearsHeadphones().then((wears) => (this.chime.checked ||= wears));
    this.look(capture, meter);
  }

  /** Twenty times a second: the level, the time, and whether it is over. */
  private look(capture: Capture, meter: Meter): void {
    const countdown = new Countdown(this.desk.limit_s);
    const watchman = new Watchman(this.desk.silence_dbfs);
    this.strip.clear();
    this.say("");
    const timer = setInterval(() => {
      if (capture.isOver) return clearInterval(timer);
      this.count(countdown.read(capture.watch.elapsed_s), capture);
      if (!capture.isPaused) this.hear(meter.read(), capture.watch.elapsed_s, watchman);
    }, LOOK_MS);
  }

  private count({ left_s, isNear, event }: Reading, capture: Capture): void {
    const figures = find("[data-countdown]", this.root);
    const told = clock(left_s);
    if (figures.textContent !== told) figures.textContent = told;
    this.root.toggleAttribute("data-near", isNear);
    if (event) feel(event);
    if (event === "warning") this.warn(left_s);
    if (event === "over") capture.end("limit");
  }

  private warn(left_s: number): void {
    this.announce(text("recorder.warning", { count: left_s }));
    if (this.chime.checked) sound();
  }

  private hear(samples: Float32Array, elapsed_s: number, watchman: Watchman): void {
    const { rms, peak } = levelOf(samples);
    this.root.style.setProperty("--level", barOf(rms).toFixed(3));
    this.root.style.setProperty("--peak", barOf(peak).toFixed(3));
    this.strip.add(elapsed_s, rms);
    const fault = watchman.hear(samples, elapsed_s, LOOK_MS / 1000);
    const notice = find("[data-fault]", this.root);
    const told = fault ? text(`recorder.live_${fault}`) : "";
    if (notice.textContent !== told) notice.textContent = told;
  }

  private toggle(): void {
    if (this.capture?.isPaused) this.capture.resume();
    else this.capture?.pause("person");
  }

  private paused(reason: PauseReason): void {
    this.enter("paused");
    if (reason !== "person") this.announce(text(`recorder.paused_${reason}`));
  }

  private resumed(meter: Meter): void {
    // A page that was hidden, or a call, may have put it to sleep.
    meter.wake();
    this.enter("recording");
  }

  private async stopped(vault: Vault, { id }: Take, reason: StopReason): Promise<void> {
    this.capture = null;
    this.awake.release();
    this.enter("keeping");
    const isKept = await conclude(vault, id).catch(() => null);
    this.reset();
    if (isKept === null) return this.announce(text("recorder.ended_unkept"));
    if (reason !== "person") this.announce(text(`recorder.ended_${reason}`));
    if (isKept) this.desk.taken(id, reason);
    else this.say(text("recorder.nothing"));
  }

  private reset(): void {
    this.enter("idle");
    find("[data-countdown]", this.root).textContent = clock(this.desk.limit_s);
    find("[data-fault]", this.root).textContent = "";
    this.root.removeAttribute("data-near");
    this.strip.clear();
    for (const level of ["--level", "--peak"]) this.root.style.setProperty(level, "0");
  }

  private fail(trouble: Trouble): void {
    this.reset();
    this.say(text(`recorder.trouble_${trouble}`));
    if (trouble === "refused") void whenAllowed(() => this.say(text("recorder.allowed")));
  }

  private enter(state: DeckState): void {
    this.root.dataset["state"] = state;
    const runs = state === "recording" || state === "paused";
    find("[data-status]", this.root).textContent = text(`recorder.${state}`);
    find("[data-rec-label]", this.root).textContent = text(runs ? "recorder.stop" : "recorder.rec");
    find("[data-pause-label]", this.root).textContent = text(state === "paused" ? "recorder.resume" : "recorder.pause");
    // Not `disabled`: that would take the focus away from who works by keyboard.
    this.rec.setAttribute("aria-disabled", String(state === "asking" || state === "keeping"));
    show(this.pauseKey, runs);
  }

  /** Said where it is seen, and to who listens to the page, at once. */
  private announce(message: string): void {
    this.say(message);
    find("[data-announce]", this.root).textContent = message;
  }

  /** A locked screen, another app: on a phone the page is about to sleep. On a desk people read from another window. */
  private attendPage(): void {
    const isPhone = matchMedia("(pointer: coarse)").matches;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && isPhone) this.capture?.pause("hidden");
    });
    document.addEventListener("freeze", () => this.capture?.pause("hidden"));
  }
}
