import { Watch } from "./countdown";

/** Why the take rests; it goes on when its author says so. */
export type PauseReason = "person" | "hidden" | "interrupted";
/** Why the take ended. In each case all that was recorded until then is kept. */
export type StopReason = "person" | "limit" | "lost" | "full" | "broken";

/** So often, in milliseconds, what was recorded goes into storage: no more than this and its way there can be lost. */
export const PIECE_MS = 1_000;

export interface Told {
  readonly paused: (reason: PauseReason) => void;
  readonly resumed: () => void;
  readonly stopped: (reason: StopReason) => void;
}

/** Keeps one piece of sound; a failure ends the take as `full`. */
export type Keep = (number: number, sound: ArrayBuffer) => Promise<void>;

/**
 * A take under way. Each second goes into storage as it comes. What the machine does to us (a call, a locked screen)
 * pauses the take and never ends it; what ends it (the microphone is pulled out, the device is full) keeps it.
 */
export class Capture {
  readonly watch = new Watch();
  private pieces = 0;
  private keeping: Promise<void> = Promise.resolve();
  private reason: StopReason | null = null;

  constructor(
    private readonly stream: MediaStream,
    private readonly recorder: MediaRecorder,
    private readonly keep: Keep,
    private readonly told: Told,
  ) {
    recorder.addEventListener("start", () => this.watch.run());
    recorder.addEventListener("dataavailable", ({ data }) => this.take(data));
    recorder.addEventListener("error", () => (this.reason ??= "broken"));
    // The recorder ends by itself when its microphone is gone: nobody asked for it, so the microphone was lost.
    recorder.addEventListener("stop", () => void this.finish(this.reason ?? "lost"));
    for (const track of stream.getAudioTracks()) {
      track.addEventListener("mute", () => this.pause("interrupted"));
      track.addEventListener("ended", () => this.end("lost"));
    }
  }

  get isPaused(): boolean {
    return this.recorder.state === "paused";
  }

  get isOver(): boolean {
    return this.recorder.state === "inactive";
  }

  start(): void {
    this.recorder.start(PIECE_MS);
  }

  pause(reason: PauseReason): void {
    if (this.recorder.state !== "recording") return;
    this.recorder.pause();
    this.watch.rest();
    // The page may be put to sleep from here on: what is there goes into storage at once.
    this.recorder.requestData();
    this.told.paused(reason);
  }

  resume(): void {
    if (this.recorder.state !== "paused") return;
    this.recorder.resume();
    this.watch.run();
    this.told.resumed();
  }

  end(reason: StopReason): void {
    this.reason ??= reason;
    if (this.recorder.state !== "inactive") this.recorder.stop();
  }

  private take(data: Blob): void {
    if (!data.size) return;
    const number = this.pieces;
    this.pieces += 1;
    this.keeping = this.keeping
      .then(async () => this.keep(number, await data.arrayBuffer()))
      .catch(() => this.end("full"));
  }

  private async finish(reason: StopReason): Promise<void> {
    this.watch.rest();
    for (const track of this.stream.getTracks()) track.stop();
    await this.keeping;
    // Storage may have failed with the very last piece.
    this.told.stopped(this.reason ?? reason);
  }
}
