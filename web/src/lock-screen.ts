const LEAP_S = 10;
/** The smaller icon alone: it is fetched at the moment when the sound is. */
const ARTWORK = [{ src: "/assets/icon-192.png", sizes: "192x192", type: "image/png" }];

/** A player as the lock screen and the keys of a headset work it. */
export interface Worked {
  readonly name: string;
  readonly by: string;
  readonly at_s: number;
  readonly duration_s: number;
  readonly rate: number;
  play(): unknown;
  pause(): void;
  moveTo(position_s: number): void;
}

/** The player that plays takes the lock screen. */
export function takeLockScreen(player: Worked, session: MediaSession | undefined = navigator.mediaSession): void {
  if (!session) return;
  session.metadata = new MediaMetadata({ title: player.name, artist: player.by, album: "Bubbles", artwork: ARTWORK });
  const on = (action: MediaSessionAction, go: MediaSessionActionHandler) => onLockScreen(action, go, session);
  const leap = (step_s: number) => player.moveTo(player.at_s + step_s);
  on("play", () => player.play());
  on("pause", () => player.pause());
  on("seekto", ({ seekTime }) => player.moveTo(seekTime ?? 0));
  on("seekbackward", ({ seekOffset }) => leap(-(seekOffset ?? LEAP_S)));
  on("seekforward", ({ seekOffset }) => leap(seekOffset ?? LEAP_S));
}

/** Where the player stands, for the bar on the lock screen. */
export function tellLockScreen(
  player: Worked,
  playing: boolean,
  session: MediaSession | undefined = navigator.mediaSession,
): void {
  if (!session) return;
  session.playbackState = playing ? "playing" : "paused";
  if (!(player.duration_s > 0)) return;
  const position = Math.min(Math.max(player.at_s, 0), player.duration_s);
  session.setPositionState?.({ duration: player.duration_s, position, playbackRate: player.rate });
}

/** What a key of the lock screen or of a headset does. */
export function onLockScreen(
  action: MediaSessionAction,
  handler: MediaSessionActionHandler,
  session: MediaSession | undefined = navigator.mediaSession,
): void {
  try {
    session?.setActionHandler(action, handler);
  } catch {
    // An older browser does not know this action; the others work.
  }
}
