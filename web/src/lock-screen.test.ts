import { expect, it, vi } from "vitest";
import { onLockScreen, takeLockScreen, tellLockScreen } from "./lock-screen";

function worked() {
  return { name: "Market day", by: "Ana", at_s: 30, duration_s: 100, rate: 1.5, play: vi.fn(), pause: vi.fn(), moveTo: vi.fn() };
}

function session(unknown: string[] = []) {
  const handlers: Record<string, MediaSessionActionHandler> = {};
  const setActionHandler = (action: string, handler: MediaSessionActionHandler) => {
    if (unknown.includes(action)) throw new TypeError(action);
    handlers[action] = handler;
  };
  return { made: { setActionHandler, setPositionState: vi.fn() } as unknown as MediaSession, handlers };
}

vi.stubGlobal("MediaMetadata", class { constructor(readonly told: object) {} });

it("works the player from the lock screen", () => {
  const player = worked();
  const { made, handlers } = session();
  takeLockScreen(player, made);
  expect(made.metadata).toMatchObject({ told: { title: "Market day", artist: "Ana" } });
  handlers["play"]?.({ action: "play" });
  handlers["pause"]?.({ action: "pause" });
  handlers["seekto"]?.({ action: "seekto", seekTime: 12 });
  handlers["seekbackward"]?.({ action: "seekbackward" });
  handlers["seekforward"]?.({ action: "seekforward", seekOffset: 30 });
  expect(player.play).toHaveBeenCalledOnce();
  expect(player.pause).toHaveBeenCalledOnce();
  expect(player.moveTo.mock.calls).toEqual([[12], [20], [60]]);
});

it("does with what an older browser knows", () => {
  const { made, handlers } = session(["seekto"]);
  takeLockScreen(worked(), made);
  expect(Object.keys(handlers)).toEqual(["play", "pause", "seekbackward", "seekforward"]);
});

it("goes on where a key is not known at all", () => {
  const { made, handlers } = session(["nexttrack"]);
  onLockScreen("nexttrack", () => {}, made);
  onLockScreen("previoustrack", () => {}, made);
  expect(Object.keys(handlers)).toEqual(["previoustrack"]);
});

it("tells where it stands, within the bubble", () => {
  const { made } = session();
  tellLockScreen({ ...worked(), at_s: 100.04 }, true, made);
  expect(made.playbackState).toBe("playing");
  expect(made.setPositionState).toHaveBeenCalledWith({ duration: 100, position: 100, playbackRate: 1.5 });
});
