import type { Take } from "../outbox/take";
import type { Vault } from "../outbox/vault";
import { text } from "../texts";
import { clock } from "../times";
import { find, saveAs, show } from "../dom";
import { extensionOf } from "./ladder";
import { heightOf, isClipped, isSilent, peaks } from "./level";
import { Playback, decoded, type Sound } from "./sound";
import { barsPath } from "./strip";
import { cut, fitted, isCut, whole, type Trim } from "./trim";
import { wavOf } from "./wav";

const BARS = 160;
const SHORTEST_TAKEN_S = 0.3;
const FOLLOW_MS = 50;

/** What of a take would not pass, or would disappoint. */
export type Fault = "silent" | "clipped" | "short" | "long" | "unread";

/** Listening again and trimming. */
export class Review {
  private readonly playback = new Playback();
  private readonly start: HTMLInputElement;
  private readonly end: HTMLInputElement;
  private take: Take | null = null;
  private sound: Sound | null = null;
  private trim: Trim = { start_s: 0, end_s: 0 };
  private timer = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly vault: Vault,
    private readonly limits: { readonly limit_s: number; readonly silence_dbfs: number },
  ) {
    this.start = find("[data-trim-start]", root);
    this.end = find("[data-trim-end]", root);
    this.start.addEventListener("input", () => this.moved("start"));
    this.end.addEventListener("input", () => this.moved("end"));
    find("[data-listen]", root).addEventListener("click", () => this.listen());
    find("[data-download]", root).addEventListener("click", () => void this.download());
  }

  /** Opens a take, and tells what is wrong with it; another that is opened meanwhile takes its place. */
  async open(take: Take): Promise<void> {
    this.close();
    this.take = take;
    const sound = await decoded(await this.vault.original(take.id));
    if (this.take !== take) return;
    this.sound = sound;
    if (this.sound) this.trim = take.trim ?? whole(this.sound.duration_s, this.limits.limit_s);
    show(find("[data-trimmer]", this.root), this.sound !== null);
    this.draw();
    this.tell();
  }

  close(): void {
    this.silence();
    [this.take, this.sound] = [null, null];
  }

  /** Whether the house would take it, as far as can be known here. */
  get isSilent(): boolean {
    return this.faults().includes("silent");
  }

  /** Puts what is to be sent beside the original, where that is not the original itself. Gives the trim, or null. */
  async settle(): Promise<Trim | null> {
    this.silence();
    if (!this.take || !this.sound) return this.take?.trim ?? null;
    const isTrimmed = isCut(this.trim, this.sound.duration_s);
    const { samples, rate_hz } = this.sound;
    await this.vault.setCut(this.take.id, isTrimmed ? wavOf(cut(samples, rate_hz, this.trim), rate_hz) : null);
    return isTrimmed ? this.trim : null;
  }

  private moved(which: "start" | "end"): void {
    if (!this.sound) return;
    this.silence();
    const wish = { start_s: Number(this.start.value), end_s: Number(this.end.value) };
    this.trim = fitted(wish, which, this.sound.duration_s, this.limits.limit_s);
    this.tell();
  }

  private listen(): void {
    if (!this.sound || this.playback.at_s !== null) return this.silence();
    this.playback.play(this.sound, this.trim, () => this.silence());
    this.root.toggleAttribute("data-playing", true);
    this.timer = setInterval(() => this.follow(), FOLLOW_MS);
    this.label();
  }

  private silence(): void {
    clearInterval(this.timer);
    this.playback.stop();
    this.root.toggleAttribute("data-playing", false);
    this.root.style.setProperty("--at", "0");
    this.label();
  }

  private follow(): void {
    const [at_s, duration_s] = [this.playback.at_s ?? 0, this.sound?.duration_s ?? 1];
    this.root.style.setProperty("--at", (at_s / duration_s).toFixed(4));
  }

  private label(): void {
    const key = this.playback.at_s === null ? "recorder.listen" : "recorder.listen_stop";
    find("[data-listen-label]", this.root).textContent = text(key);
  }

  private draw(): void {
    if (!this.sound) return;
    const bars = peaks(this.sound.samples, BARS).map(heightOf);
    const wave = find<SVGElement>("[data-wave]", this.root);
    wave.setAttribute("viewBox", `0 0 ${BARS} 100`);
    find("path", wave).setAttribute("d", barsPath(bars));
    for (const input of [this.start, this.end]) input.max = this.sound.duration_s.toFixed(2);
  }

  /** Where it is cut, how long it is, and what is wrong with it. */
  private tell(): void {
    const { start_s, end_s } = this.trim;
    if (this.sound) {
      [this.start.value, this.end.value] = [start_s.toFixed(2), end_s.toFixed(2)];
      this.start.setAttribute("aria-valuetext", clock(start_s));
      this.end.setAttribute("aria-valuetext", clock(end_s));
      this.root.style.setProperty("--from", String(start_s / this.sound.duration_s));
      this.root.style.setProperty("--to", String(end_s / this.sound.duration_s));
      const length = clock(Math.floor(end_s) - Math.floor(start_s));
      find("[data-times]", this.root).textContent = text("recorder.kept", { from: clock(start_s), to: clock(end_s), length });
    }
    const told = this.faults().map((fault) => text(`recorder.take_${fault}`, { limit: clock(this.limits.limit_s) }));
    find("[data-faults]", this.root).textContent = told.join(" ");
  }

  private faults(): Fault[] {
    if (!this.sound) return this.take ? ["unread"] : [];
    const { samples, rate_hz, duration_s } = this.sound;
    const kept = cut(samples, rate_hz, this.trim);
    const faults: [Fault, boolean][] = [
      ["silent", isSilent(kept, rate_hz, this.limits.silence_dbfs)],
      ["clipped", isClipped(kept)],
      ["short", this.trim.end_s - this.trim.start_s < SHORTEST_TAKEN_S],
      ["long", duration_s > this.limits.limit_s],
    ];
    return faults.filter(([, holds]) => holds).map(([fault]) => fault);
  }

  private async download(): Promise<void> {
    if (this.take) await downloadTake(this.vault, this.take);
  }
}

/** Hands a take's sound to the person, as it came. */
export async function downloadTake(vault: Vault, { id, name, type, recordedAt }: Take): Promise<void> {
  const stamp = recordedAt.slice(0, 16).replace(/[:T]/g, "-");
  saveAs(await vault.original(id), name ?? `bubble-${stamp}.${extensionOf(type)}`);
}
