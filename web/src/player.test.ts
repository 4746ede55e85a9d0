// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import texts from "../messages/en/player.json";
import type { BubblePlayer } from "./player";
import { playerFrom } from "./player-from";

let player: BubblePlayer;
let sound: HTMLAudioElement;
let asked: number[];

/** A browser's `<audio>`, as far as it matters here: `load` forgets what had come, and that it plays. */
beforeEach(() => {
  const told = Object.fromEntries(Object.entries(texts).map(([key, message]) => [`player.${key}`, message]));
  document.body.innerHTML = `<script type="application/json" id="texts">${JSON.stringify(told)}</script>`;
  player = playerFrom({ title: "Market", duration_s: 100, peaks: [1], renditions: [{ url: "/a.m4a", type: "audio/mp4" }] });
  document.body.append(player);
  sound = player.querySelector("audio")!;
  const kept = { paused: true, currentTime: 0, error: null as MediaError | null };
  for (const name of ["paused", "currentTime", "error"] as const) {
    Object.defineProperty(sound, name, { get: () => kept[name], set: (value) => Object.assign(kept, { [name]: value }) });
  }
  asked = [];
  sound.load = vi.fn(() => {
    asked.push(kept.currentTime);
    Object.assign(kept, { paused: true, currentTime: 0, error: null });
  });
  sound.play = vi.fn(() => {
    kept.paused = false;
    sound.dispatchEvent(new Event("play"));
    return Promise.resolve();
  });
  sound.pause = vi.fn(() => {
    kept.paused = true;
    sound.dispatchEvent(new Event("pause"));
  });
});

/** Chromium pauses it, without an event. */
function breakOff(): void {
  Object.assign(sound, { error: { code: 2 }, paused: true });
  sound.dispatchEvent(new Event("error"));
}

const notice = (): string => player.querySelector(".notice, [role=status], [role=alert]")?.textContent ?? "";

it("asks anew for sound whose link was over, keeps its second and plays on", async () => {
  await player.playFrom(61);
  breakOff();
  expect([asked, player.at_s, player.playing]).toEqual([[61], 61, true]);
  await player.playFrom(90);
  breakOff();
  expect([asked, player.at_s, player.playing]).toEqual([[61, 90], 90, true]);
  expect(notice()).toBe("");
});

it("does not begin to play what was paused", async () => {
  await player.playFrom(60);
  player.pause();
  player.moveTo(61);
  breakOff();
  expect([asked, player.at_s, player.playing]).toEqual([[61], 61, false]);
});

it("asks once, then says that it failed, until the listener asks again", async () => {
  const failed = vi.fn();
  player.addEventListener("bubble-failed", failed);
  await player.playFrom(61);
  breakOff();
  breakOff();
  breakOff();
  expect(asked).toEqual([61]);
  expect(failed).toHaveBeenCalled();
  expect(player.playing).toBe(false);
  expect(notice()).toBe(texts.failed);
  await player.play();
  expect([asked, player.at_s, player.playing]).toEqual([[61, 61], 61, true]);
});
