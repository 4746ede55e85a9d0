import { asReported, ranBetween, withStretch, type Stretch } from "./heard";

const EVERY_S = 10;
const ADDRESS = "/api/listens";

/** Tells the house, for one play at a time, which seconds were heard. Keeps nothing on the listener's machine. */
export class Beacon {
  private play: string | null = null;
  private heard: Stretch[] = [];
  private last_s: number | null = null;
  private toldAt_s = 0;

  /** `anonymous`: no cookie goes along, whoever is signed in. */
  constructor(
    private readonly code: string,
    private readonly anonymous = false,
  ) {}

  /** Sound comes out: the first time, or again after a pause or a jump. */
  started(position_s: number): void {
    this.last_s = position_s;
    if (this.play !== null) return;
    this.play = randomId();
    this.tell();
  }

  /** The player reports a position. */
  moved(position_s: number, rate: number): void {
    if (this.play === null) return;
    if (this.last_s !== null && ranBetween(this.last_s, position_s, rate)) {
      this.heard = withStretch(this.heard, this.last_s, position_s);
    }
    this.last_s = position_s;
    if (now_s() - this.toldAt_s >= EVERY_S) this.tell();
  }

  /** The listener jumps: what lies between was not heard. */
  jumped(): void {
    this.last_s = null;
  }

  /** The sound stops: at a pause, or when the page goes. */
  stopped(): void {
    if (this.play !== null) this.tell();
    this.last_s = null;
  }

  /** The bubble is over: hearing it again is another play. */
  ended(): void {
    this.stopped();
    this.play = null;
    this.heard = [];
  }

  private tell(): void {
    this.toldAt_s = now_s();
    const body = JSON.stringify({ code: this.code, play: this.play, heard: asReported(this.heard) });
    if (this.anonymous) void post(body, "omit");
    else if (!navigator.sendBeacon?.(ADDRESS, new Blob([body], { type: "application/json" }))) void post(body);
  }
}

async function post(body: string, credentials: RequestCredentials = "same-origin"): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  // Counting must never stand between a listener and the sound.
  await fetch(ADDRESS, { method: "POST", body, headers, credentials, keepalive: true }).catch(() => undefined);
}

function now_s(): number {
  return performance.now() / 1000;
}

/** 128 random bits in hex; `crypto.randomUUID` is missing where the page comes by plain HTTP. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
