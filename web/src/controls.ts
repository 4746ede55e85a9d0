import { svg } from "./dom";
import { RATES } from "./keys";
import { language, text } from "./texts";

const TO_PLAY = "M8 4.5v15l12-7.5z";
const TO_PAUSE = "M6.5 5h4v14h-4zM13.5 5h4v14h-4z";

/** What a listener works a player with. */
export interface Controls {
  play: HTMLButtonElement;
  seek: HTMLInputElement;
  clock: HTMLElement;
  speed: HTMLSelectElement | null;
  notice: HTMLElement;
}

/** Puts the controls around the waveform, which is in `.seek`, and the length, in `.clock`. */
export function addControls(player: HTMLElement, name: string, duration_s: number, withSpeed: boolean): Controls {
  const controls = {
    play: playButton(),
    seek: slider(name, duration_s),
    clock: made("span", { textContent: "0:00" }),
    speed: withSpeed ? speeds() : null,
    notice: made("p", { className: "notice", role: "status" }),
  };
  const slash = made("span", { textContent: " / ", ariaHidden: "true" });
  player.prepend(controls.play);
  player.querySelector(".seek")?.append(controls.seek);
  player.querySelector(".clock")?.prepend(controls.clock, slash);
  if (controls.speed) player.append(labelled(controls.speed));
  player.append(controls.notice);
  return controls;
}

function playButton(): HTMLButtonElement {
  const button = made("button", { type: "button", className: "play", title: text("player.keys") });
  const drawing = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  drawing.append(svg("path", { class: "to-play", d: TO_PLAY }), svg("path", { class: "to-pause", d: TO_PAUSE }));
  button.append(drawing);
  return button;
}

function slider(name: string, duration_s: number): HTMLInputElement {
  const label = text("player.position", { name });
  return made("input", { type: "range", min: "0", max: String(duration_s), step: "1", value: "0", ariaLabel: label });
}

function speeds(): HTMLSelectElement {
  const select = made("select", { autocomplete: "off" });
  const number = new Intl.NumberFormat(language());
  for (const rate of RATES) {
    const chosen = rate === 1;
    select.append(new Option(text("player.rate", { rate: number.format(rate) }), String(rate), chosen, chosen));
  }
  return select;
}

function labelled(select: HTMLSelectElement): HTMLLabelElement {
  const label = made("label", { className: "speed", textContent: text("player.speed") });
  label.append(select);
  return label;
}

function made<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
): HTMLElementTagNameMap[Tag] {
  return Object.assign(document.createElement(tag), properties);
}
