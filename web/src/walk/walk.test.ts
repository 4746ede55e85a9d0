// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import page from "../../pages/walk.html?raw";
import type { Point } from "../cells";
import { Walk } from "./walk";

const here = vi.hoisted(() => ({ moved: (_: Point) => {} }));
vi.mock("../texts", () => ({ language: () => "en", text: (key: string) => key }));
vi.mock("../here", () => ({
  follow: (_: string, moved: (to: Point) => void) => {
    here.moved = moved;
    return () => (here.moved = () => {});
  },
}));

/** An `<audio>` as browsers make it: its events come late, and what is put in stops what was. */
class Sound extends EventTarget {
  static made: Sound;
  paused = true;
  ended = false;
  loop = false;
  currentTime = 0;
  playbackRate = 1;
  private address = "";

  constructor() {
    super();
    Sound.made = this;
  }
  get src(): string {
    return this.address;
  }
  set src(address: string) {
    this.address = address;
    this.paused = true;
    this.ended = false;
  }
  canPlayType(): string {
    return "maybe";
  }
  async play(): Promise<void> {
    if (!this.paused) return;
    this.paused = this.ended = false;
    this.later("play");
  }
  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.later("pause");
  }
  /** It comes to its end. */
  end(): void {
    this.paused = this.ended = true;
    this.later("pause");
    this.later("ended");
  }
  later(name: string): void {
    setTimeout(() => this.dispatchEvent(new Event(name)));
  }
}

const speaking: { onend?: () => void; onerror?: () => void }[] = [];
let isThere = true;

function voice(number: number) {
  const place = { latitude: 45 + number / 10_000, longitude: 5, radius_m: 1 };
  const renditions = [{ url: `https://a.test/media/${number}.mp3`, type: "audio/mpeg" }];
  return { code: String(number), title: `Voice ${number}`, url: "https://a.test/b", channel: { title: "c" }, place, duration_s: 5, renditions };
}

const VOICES = [1, 2, 3, 4].map(voice);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("Audio", Sound);
  vi.stubGlobal("MediaMetadata", class {});
  vi.stubGlobal("SpeechSynthesisUtterance", class {});
  speaking.length = 0;
  const speak = (words: object) => speaking.push(words);
  const cancel = () => speaking.splice(0).forEach((each) => each.onerror?.());
  vi.stubGlobal("speechSynthesis", { speak, cancel });
  isThere = true;
  vi.stubGlobal("fetch", async (address: string) => {
    if (!isThere) throw new TypeError("no connection");
    if (!address.includes("/api/bubbles")) return { ok: true };
    return { ok: true, json: async () => ({ items: VOICES, next: null }) };
  });
  // The page itself, without what the house writes into it.
  document.body.innerHTML = page.replace(/\{[{%].*?[%}]\}/g, "");
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function pass(time_ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(time_ms);
}

const part = (name: string) => document.querySelector<HTMLElement>(name) as HTMLElement;
/** What comes out of the phone. */
const heard = () => (Sound.made.paused ? "" : (/(\d)\.mp3|silence/.exec(Sound.made.src)?.[1] ?? "silence"));

async function press(name = "[data-start]"): Promise<void> {
  part(name).click();
  await pass(10);
}

async function move(latitude: number): Promise<void> {
  here.moved({ latitude, longitude: 5 });
  await pass(10);
}

async function end(): Promise<void> {
  Sound.made.end();
  await pass(10);
}

async function fail(): Promise<void> {
  Sound.made.dispatchEvent(new Event("error"));
  await pass(10);
}

async function walking({ isAloud = false } = {}): Promise<void> {
  new Walk(part("[data-walk]"));
  (part("[data-aloud]") as HTMLInputElement).checked = isAloud;
  await press();
  await move(45);
  expect(heard()).toBe("1");
}

it("goes on to the next after a moment", async () => {
  await walking();
  await end();
  expect(heard()).toBe("silence");
  await pass(2_000);
  expect(heard()).toBe("2");
});

it.each([
  ["by the button", () => press()],
  ["by the lock screen or a call", async () => Sound.made.pause()],
])("stays silent once it was paused between two voices, %s", async (_, pause) => {
  await walking();
  await end();
  await pause();
  await pass(60_000);
  await move(45.0002);
  expect(heard()).toBe("");
  await press();
  expect(heard()).toBe("2");
});

it("goes on by the lock screen too", async () => {
  await walking();
  await end();
  await press();
  await Sound.made.play();
  await pass(10);
  expect(heard()).toBe("2");
});

it("begins nothing when the answer comes after the pause", async () => {
  new Walk(part("[data-walk]"));
  await press();
  await press();
  await move(45);
  expect(heard()).toBe("");
  await press();
  expect(heard()).toBe("1");
});

it("goes on with the voice that was paused", async () => {
  await walking();
  await press();
  await pass(60_000);
  expect(heard()).toBe("");
  await press();
  expect(heard()).toBe("1");
});

it("says what comes, and only then lets it speak", async () => {
  await walking({ isAloud: true });
  await end();
  await move(45.0001);
  expect(heard()).toBe("silence");
  speaking[0]?.onend?.();
  await pass(2_000);
  expect(heard()).toBe("2");
});

it("announces anew when something else comes first", async () => {
  await walking({ isAloud: true });
  await end();
  await move(45.0004);
  expect([heard(), speaking.length]).toEqual(["silence", 1]);
  speaking[0]?.onend?.();
  await pass(2_000);
  expect(heard()).toBe("4");
});

it("cuts no voice off that was asked for while it spoke", async () => {
  await walking({ isAloud: true });
  await end();
  await pass(100);
  part("[data-next]").removeAttribute("disabled");
  await press("[data-next]");
  expect([heard(), speaking.length]).toEqual(["2", 0]);
  await pass(60_000);
  expect(heard()).toBe("2");
});

it("loses no voice in a tunnel", async () => {
  await walking();
  await end();
  await pass(2_000);
  isThere = false;
  await fail();
  await pass(300_000);
  expect(heard()).toBe("silence");
  isThere = true;
  await pass(11_000);
  expect(heard()).toBe("2");
});

it("loses none by pausing in the tunnel", async () => {
  await walking();
  isThere = false;
  await fail();
  for (let time = 0; time < 3; time += 1) {
    await press();
    await press();
    await fail();
  }
  isThere = true;
  await pass(11_000);
  expect(heard()).toBe("1");
});

it("leaves a voice that does not come from a house that answers", async () => {
  await walking();
  await fail();
  expect(heard()).toBe("1");
  await fail();
  await pass(2_000);
  expect(heard()).toBe("2");
});

it("leads back from a chosen place to where one is", async () => {
  await walking();
  expect(part("[data-return]").hidden).toBe(true);
  const place = { name: "Lyon", label: "Lyon", latitude: 45.75, longitude: 4.85, population: null };
  part("[data-walk]").dispatchEvent(new CustomEvent("place-chosen", { detail: place }));
  await pass(10);
  expect(part("[data-return]").hidden).toBe(false);
  await press("[data-return] button");
  await move(45.0003);
  expect(part("[data-return]").hidden).toBe(true);
  await end();
  await pass(2_000);
  expect(heard()).toBe("3");
});
