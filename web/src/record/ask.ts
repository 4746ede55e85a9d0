import { find } from "../dom";

/** Asks before something is lost; keeping is what Escape and Enter do. */
export function ask(question: string, yes: string): Promise<boolean> {
  const dialog = find<HTMLDialogElement>("[data-ask]");
  find("[data-question]", dialog).textContent = question;
  find("[value=yes]", dialog).textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
