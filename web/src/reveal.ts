import { text } from "./texts";

/** Passwords that can be looked at while they are typed: a button beside each field that asks for it. */
export function enableReveal(): void {
  for (const field of document.querySelectorAll<HTMLInputElement>("input[data-reveal]")) addButton(field);
}

function addButton(field: HTMLInputElement): void {
  const button = document.createElement("button");
  button.type = "button";
  button.classList.add("reveal", "plain");
  button.setAttribute("aria-label", field.dataset["reveal"] ?? "");
  button.setAttribute("aria-controls", field.id);
  const show = (shown: boolean): void => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = text(shown ? "ways_in.hide" : "ways_in.show");
  };
  button.addEventListener("click", () => show(field.type === "password"));
  // What is sent must not stay on the screen, nor be kept by the browser as an ordinary text.
  field.form?.addEventListener("submit", () => show(false));
  const row = document.createElement("div");
  row.className = "revealed";
  field.replaceWith(row);
  row.append(field, button);
  show(false);
}
