// @vitest-environment happy-dom
import { beforeAll, expect, it } from "vitest";
import player from "../messages/en/player.json";
import { nameOf, playerFrom } from "./player-from";

const told = {
  code: "AAAAAAAAAAAAAAAA",
  title: "",
  channel: { title: "Ana" },
  duration_s: 75.2,
  peaks: [0, 255],
  renditions: [
    { url: "https://bubbles.example/media/AAAAAAAAAAAAAAAA.m4a", type: "audio/mp4" },
    { url: "blob:https://bubbles.example/1", type: "audio/ogg" },
  ],
};

beforeAll(() => {
  const texts = Object.fromEntries(Object.entries(player).map(([key, text]) => [`player.${key}`, text]));
  document.body.innerHTML = `<script type="application/json" id="texts">${JSON.stringify(texts)}</script>`;
});

it("names a bubble without a title by its channel", () => {
  expect(nameOf(told)).toBe("Bubble by Ana");
});

it("makes the player that pages bring", () => {
  const made = playerFrom(told);
  document.body.append(made);
  expect(made.querySelector("audio")?.preload).toBe("none");
  expect(Array.from(made.querySelectorAll("source"), (each) => each.getAttribute("src"))).toEqual([
    "/media/AAAAAAAAAAAAAAAA.m4a",
    "blob:https://bubbles.example/1",
  ]);
  expect(made.querySelector(".clock")?.textContent).toBe("0:00 / 1:15");
  expect(made.querySelector(".play")?.getAttribute("aria-label")).toBe("Play: Bubble by Ana");
  expect(made.querySelectorAll(".waveform path")).toHaveLength(2);
});

it("takes a title for a text and nothing more", () => {
  const made = playerFrom({ ...told, title: '"><img src=x>' });
  expect(made.name).toBe('"><img src=x>');
  expect(made.querySelector("img")).toBeNull();
});

it("goes where it is sent and tells so", () => {
  const made = playerFrom(told);
  document.body.append(made);
  const positions: number[] = [];
  made.addEventListener("bubble-time", (event) => positions.push((event as CustomEvent<number>).detail));
  made.moveTo(500);
  expect(made.at_s).toBe(75.2);
  made.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
  expect(made.at_s).toBe(0);
  expect(positions).toEqual([75.2, 0]);
});
