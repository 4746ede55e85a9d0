import { keepForOffline } from "./install";

/** Public pages are the same for everyone: who is signed in is a fragment that comes after. */
export async function showWhoIsHere(place: HTMLElement): Promise<void> {
  try {
    const answer = await fetch(place.dataset["fragment"] ?? "", { headers: { Accept: "text/html" } });
    if (answer.status !== 200) return;
    place.innerHTML = await answer.text();
    keepForOffline();
  } catch {
    // Offline: the page is complete without it.
  }
}
