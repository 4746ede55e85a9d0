import { BubblePlayer } from "./player";
import { text } from "./texts";
import { clock } from "./times";
import { waveform } from "./wave";

const BARS = 100;

/** What a player needs of a bubble: the API's JSON has it; a take that is not published yet has no code. */
export interface Playable {
  code?: string;
  title: string;
  channel?: { title: string };
  duration_s: number;
  peaks: readonly number[];
  renditions: readonly { url: string; type: string }[];
}

/** What a bubble is called: its title, else by its channel. */
export function nameOf(told: Playable): string {
  return told.title || text("player.untitled", { channel: told.channel?.title ?? "" });
}

/** A player made in the browser, the same as those that a page brings (`parts.player`). */
export function playerFrom(told: Playable, bars: number = BARS): BubblePlayer {
  const player = document.createElement("bubble-player") as BubblePlayer;
  if (told.code) player.setAttribute("code", told.code);
  player.setAttribute("duration", String(told.duration_s));
  player.setAttribute("name", nameOf(told));
  player.setAttribute("by", told.channel?.title ?? "");
  player.append(seek(told, bars), length(told), sound(told));
  return player;
}

function seek(told: Playable, bars: number): HTMLElement {
  const box = document.createElement("div");
  box.className = "seek";
  box.append(waveform(told.peaks, bars));
  return box;
}

function length(told: Playable): HTMLElement {
  const line = document.createElement("p");
  line.className = "clock";
  const figures = document.createElement("span");
  figures.className = "length";
  figures.textContent = clock(told.duration_s);
  line.append(figures);
  return line;
}

function sound(told: Playable): HTMLAudioElement {
  const audio = document.createElement("audio");
  audio.controls = true;
  audio.preload = "none";
  audio.setAttribute("aria-label", nameOf(told));
  for (const rendition of told.renditions) {
    const source = document.createElement("source");
    source.src = local(rendition.url);
    source.type = rendition.type;
    audio.append(source);
  }
  return audio;
}

/** A link of ours from the root, so that it works at whatever address the page was opened. */
function local(url: string): string {
  const { protocol, pathname, search } = new URL(url, location.href);
  return protocol.startsWith("http") ? pathname + search : url;
}
