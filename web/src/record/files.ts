import { markOurs } from "../outbox/ours";
import { newTake, type Take } from "../outbox/take";
import type { Vault } from "../outbox/vault";

/** What the form around the sound may weigh. */
const FORM_BYTES = 64 * 1024;
const OLDEST_MS = Date.UTC(2000, 0, 1);

/** Files that are chosen, dropped, or come from the system's own recorder. */
export function takeFiles(root: HTMLElement, taken: (file: File) => void): void {
  for (const input of root.querySelectorAll<HTMLInputElement>("input[type=file]")) {
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      // The same file may be chosen again.
      if (file) taken(file);
      input.value = "";
    });
  }
  root.addEventListener("dragover", (event) => {
    event.preventDefault();
    root.toggleAttribute("data-over", true);
  });
  for (const event of ["dragleave", "drop"]) root.addEventListener(event, () => root.toggleAttribute("data-over", false));
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) taken(file);
  });
}

/** A file that misses the box would have the browser leave the page for it, and a recording with it. */
export function catchStrayFiles(): void {
  for (const event of ["dragover", "drop"]) document.addEventListener(event, (stray) => stray.preventDefault());
}

/** Whether the house would take a file of that size. */
export function fits(file: File, max_bytes: number): boolean {
  return file.size + FORM_BYTES <= max_bytes;
}

/** A file as a take, kept like one that was recorded here. */
export async function keepFile(vault: Vault, file: File, owner: string | null): Promise<Take> {
  // Some systems give a file no date, or the first day of their count.
  const recorded = new Date(Math.min(file.lastModified > OLDEST_MS ? file.lastModified : Date.now(), Date.now()));
  const take = newTake({ type: file.type, name: file.name, owner, stage: "draft" }, recorded);
  await vault.put(take, await file.arrayBuffer());
  markOurs(take.id);
  return take;
}
