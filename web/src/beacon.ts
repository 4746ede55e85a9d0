import { asReported, ranBetween, withStretch, type Stretch } from "./heard";
import { randomId } from "./ids";

const EVERY_S = 10;
const ADDRESS = "/api/listens";
/** The house's answer when another visitor began the play: this one, at an address that it left. */
const ANOTHER_BEGAN = 409;

/** Tells the house, for one play at a time, which seconds were heard. Keeps nothing on the listener's machine. */
export class Beacon {
  private play: string | null = null;
  private heard: Stretch[] = [];
  private last_s: number | null = null;
  private toldAt_s = 0;
  private isRunning = false;

  /** `anonymous`: no cookie goes along, whoever is signed in. */
  constructor(
    private readonly code: string,
    private readonly anonymous = false,
  ) {}

  /** Sound comes out: the first time, or again after a pause or a jump. */
  started(position_s: number): void {
    this.last_s = position_s;
    this.isRunning = true;
    if (this.play === null) this.begin();
  }

  /** The player reports a position. */
  moved(position_s: number, rate: number): void {
    if (this.play === null) return;
    if (this.last_s !== null && ranBetween(this.last_s, position_s, rate)) {
      this.heard = withStretch(this.heard, this.last_s, position_s);
    }
    this.last_s = position_s;
    if (now_s() - this.toldAt_s >= EVERY_S) void this.tell();
  }

  /** The listener jumps: what lies between was not heard. */
  jumped(): void {
    this.last_s = null;
  }

  /** The sound stops. */
  stopped(): void {
    this.isRunning = false;
    if (this.play !== null) void this.tell();
    this.last_s = null;
  }

  /** The page goes, while the sound plays: nobody waits for an answer. */
  left(): void {
    if (this.play === null) return;
    const told = !this.anonymous && navigator.sendBeacon?.(ADDRESS, new Blob([this.told()], { type: "application/json" }));
    if (!told) void this.post();
  }

  /** The bubble is over: hearing it again is another play. */
  ended(): void {
    this.stopped();
    this.forget();
  }

  private begin(): void {
    this.play = randomId();
    void this.tell();
  }

  private forget(): void {
    this.play = null;
    this.heard = [];
  }

  /** Who goes from one network to another is another visitor: what is heard from here on is another play. */
  private async tell(): Promise<void> {
    const { play } = this;
    this.toldAt_s = now_s();
    const status = await this.post();
    if (status !== ANOTHER_BEGAN || play !== this.play) return;
    this.forget();
    if (this.isRunning) this.begin();
  }

  /** The status of the answer; 0 when none came. Counting must never stand between a listener and the sound. */
  private async post(): Promise<number> {
    const headers = { "Content-Type": "application/json" };
    const credentials = this.anonymous ? "omit" : "same-origin";
    const asked = fetch(ADDRESS, { method: "POST", body: this.told(), headers, credentials, keepalive: true });
    return asked.then(({ status }) => status, () => 0);
  }

  private told(): string {
    return JSON.stringify({ code: this.code, play: this.play, heard: asReported(this.heard) });
  }
}

function now_s(): number {
  return performance.now() / 1000;
}
