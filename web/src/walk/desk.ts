import { distance_m, type Point } from "../cells";
import { find } from "../dom";
import type { NamedPlace } from "../place-search";
import { language, text } from "../texts";
import { clock } from "../times";
import { REACHES_M, type Around } from "./around";
import type { Voice } from "./queue";
import { drawRadar } from "./radar";

/** All that the page shows of a walk. */
export interface Shown {
  readonly isOn: boolean;
  readonly isPaused: boolean;
  /** At a place that was chosen, not where one is. */
  readonly isElsewhere: boolean;
  readonly playing: Voice | null;
  readonly where: string;
  readonly at_s: number;
  readonly hasPrevious: boolean;
  readonly here: Point | null;
  readonly around: Around | null;
}

/** What a person does at the desk. */
export interface Hands {
  started(): void;
  previous(): void;
  next(): void;
  placed(place: NamedPlace): void;
  /** Back to where one is. */
  returned(): void;
}

/** A voice that never comes back from saying something is not waited for longer. */
const SPEAKING_MAX_MS = 8_000;

/** The page of the walk: its buttons, what it says, and the picture of what lies around. */
export class Desk {
  private lock: WakeLockSentinel | null = null;
  private drawn: unknown[] = [];

  constructor(
    private readonly element: HTMLElement,
    hands: Hands,
  ) {
    element.hidden = false;
    this.part("[data-start]").addEventListener("click", () => hands.started());
    this.part("[data-previous]").addEventListener("click", () => hands.previous());
    this.part("[data-next]").addEventListener("click", () => hands.next());
    element.addEventListener("place-chosen", (event) => hands.placed((event as CustomEvent<NamedPlace>).detail));
    this.part("[data-return]").addEventListener("click", () => hands.returned());
    this.part("[data-awake]").addEventListener("change", () => void this.stayAwake());
    document.addEventListener("visibilitychange", () => void this.stayAwake());
    this.offer("[data-awake]", "wakeLock" in navigator);
    this.offer("[data-aloud]", "speechSynthesis" in window);
  }

  /** Says something, to eyes and to screen readers. */
  say(words: string): void {
    this.part("[data-status]").textContent = words;
  }

  /** Says what can be seen elsewhere on the page, to screen readers. */
  announce(words: string): void {
    this.part("[data-said]").textContent = words;
  }

  /** Says it aloud if that is wished, and ends when it is said. */
  async speak(words: string): Promise<void> {
    if (!this.wished("[data-aloud]")) return;
    const spoken = new SpeechSynthesisUtterance(words);
    spoken.lang = language();
    await new Promise<void>((done) => {
      setTimeout(done, SPEAKING_MAX_MS);
      spoken.onend = spoken.onerror = () => done();
      speechSynthesis.speak(spoken);
    });
  }

  /** Ends what is being said aloud. */
  hush(): void {
    if ("speechSynthesis" in window) speechSynthesis.cancel();
  }

  show(shown: Shown): void {
    const { isOn, isPaused, isElsewhere, playing, hasPrevious } = shown;
    this.element.toggleAttribute("data-on", isOn);
    this.element.toggleAttribute("data-playing", isOn && !isPaused);
    this.part("[data-start-label]").textContent = text(`walk.${!isOn ? "start" : isPaused ? "go_on" : "pause"}`);
    this.button("[data-previous]").disabled = !hasPrevious;
    this.button("[data-next]").disabled = !isOn || !playing;
    this.part("[data-now]").hidden = !playing;
    this.part("[data-return]").hidden = !isElsewhere;
    if (playing) this.showVoice(playing, shown);
    this.draw(shown);
  }

  private showVoice(voice: Voice, { where, at_s }: Shown): void {
    const title = this.part("[data-title]") as HTMLAnchorElement;
    title.textContent = voice.title || text("walk.untitled", { channel: voice.channel.title });
    title.href = new URL(voice.url, location.href).pathname;
    this.part("[data-by]").textContent = voice.channel.title;
    this.part("[data-where]").textContent = where;
    (this.part("[data-progress]") as HTMLProgressElement).value = voice.duration_s ? Math.min(at_s / voice.duration_s, 1) : 0;
    this.part("[data-clock]").textContent = `${clock(at_s)} / ${clock(voice.duration_s)}`;
  }

  private draw({ here, around, playing }: Shown): void {
    const drawn = [here, around, playing];
    if (this.drawn.length && drawn.every((each, index) => each === this.drawn[index])) return;
    this.drawn = drawn;
    const voices = [...(around?.voices ?? []), ...(playing && !around?.voices.includes(playing) ? [playing] : [])];
    drawRadar(this.part("[data-radar]"), here, voices, reach_m(here, around), playing?.code ?? "");
  }

  private async stayAwake(): Promise<void> {
    if (document.hidden) return;
    await this.lock?.release();
    this.lock = null;
    if (!this.wished("[data-awake]")) return;
    try {
      this.lock = await navigator.wakeLock.request("screen");
    } catch {
      // A low battery: the sound goes on all the same.
    }
  }

  private offer(name: string, isThere: boolean): void {
    const label = this.part(name).closest("label");
    if (label) label.hidden = !isThere;
  }

  private wished(name: string): boolean {
    return (this.part(name) as HTMLInputElement).checked;
  }

  private button(name: string): HTMLButtonElement {
    return this.part(name) as HTMLButtonElement;
  }

  private part(name: string): HTMLElement {
    return find(name, this.element);
  }
}

/** How far the outermost ring is: to what was found, or to the furthest of it. */
function reach_m(here: Point | null, around: Around | null): number {
  if (around?.kind === "within") return around.reach_m;
  const away_m = (around?.voices ?? []).map(({ place }) => (here && place ? distance_m(here, place) : 0));
  return Math.max(REACHES_M[0], ...away_m);
}
