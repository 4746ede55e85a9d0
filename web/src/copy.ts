import { text } from "./texts";

const SHOWN_MS = 2500;

/** A button that copies the address in the field before it. Shown only where the browser lets us copy. */
export function enableCopy(button: HTMLButtonElement): void {
  const field = (button.form ?? button.parentElement)?.querySelector<HTMLInputElement>("input, textarea");
  if (!field || !navigator.clipboard) return;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", () => {
    void navigator.clipboard.writeText(field.value).then(() => {
      button.textContent = text("common.copied");
      setTimeout(() => (button.textContent = label), SHOWN_MS);
    });
  });
}
