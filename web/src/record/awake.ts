/** Keeps the screen from going dark while a take is recorded, where the browser can. */
export class Awake {
  private lock: WakeLockSentinel | null = null;
  private isWanted = false;

  constructor() {
    // The system lets go of the lock with every page that is hidden.
    document.addEventListener("visibilitychange", () => {
      if (this.isWanted && !document.hidden) void this.hold();
    });
  }

  async hold(): Promise<void> {
    this.isWanted = true;
    try {
      this.lock = (await navigator.wakeLock?.request("screen")) ?? null;
      if (!this.isWanted) this.release();
    } catch {
      // Low battery: the screen may go dark, which pauses the take.
    }
  }

  release(): void {
    this.isWanted = false;
    void this.lock?.release();
    this.lock = null;
  }
}
