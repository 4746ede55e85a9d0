import { text } from "../texts";

const SHOWN_MS = 2500;

const place = document.querySelector<HTMLElement>("[data-codes]");
if (place) offerToKeep(place, codesFile(place.dataset["origin"] ?? ""));

/** The codes as a file that still says, in a year, what it is for. */
function codesFile(origin: string): string {
  const codes = Array.from(document.querySelectorAll(".codes code"), (code) => code.textContent ?? "");
  return [`${text("ways_in.codes_file")} (${origin})`, "", ...codes, ""].join("\n");
}

function offerToKeep(place: HTMLElement, file: string): void {
  const copies = place.querySelector<HTMLButtonElement>("[data-copies]");
  const downloads = place.querySelector<HTMLAnchorElement>("[data-downloads]");
  if (downloads) downloads.href = URL.createObjectURL(new Blob([file], { type: "text/plain;charset=utf-8" }));
  if (copies && navigator.clipboard) {
    copies.addEventListener("click", () => void navigator.clipboard.writeText(file).then(() => sayCopied(copies)));
  } else copies?.remove();
  place.hidden = false;
}

function sayCopied(button: HTMLButtonElement): void {
  button.textContent = text("ways_in.copied_codes");
  setTimeout(() => (button.textContent = text("ways_in.copy_codes")), SHOWN_MS);
}
