const WINDOW = 2048;

/** Hears what the microphone hears, for the eye. The recording does not pass through here. */
export class Meter {
  private readonly context = new AudioContext();
  private readonly analyser = this.context.createAnalyser();
  private readonly samples = new Float32Array(WINDOW);

  constructor(stream: MediaStream) {
    this.analyser.fftSize = WINDOW;
    this.context.createMediaStreamSource(stream).connect(this.analyser);
  }

  /** The last samples heard: about 43 ms. The same array each time. */
  read(): Float32Array {
    this.analyser.getFloatTimeDomainData(this.samples);
    return this.samples;
  }

  /** Calls back when the system takes sound away from the page, as some phones do for a call. */
  whenInterrupted(interrupted: () => void): void {
    this.context.addEventListener("statechange", () => {
      // Not in every browser's list of states.
      if ((this.context.state as string) === "interrupted") interrupted();
    });
  }

  /** A page that was hidden comes back. */
  wake(): void {
    if (this.context.state !== "running") void this.context.resume();
  }

  close(): void {
    void this.context.close();
  }
}
