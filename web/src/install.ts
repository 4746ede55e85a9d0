/**
 * The service worker is registered only once a person has acted: installed the pages, signed in, or recorded. A public
 * page that is only read keeps nothing.
 */
export function keepForOffline(): void {
  // A browser that will not have it shows the pages all the same, with a connection.
  navigator.serviceWorker?.register("/sw.js", { updateViaCache: "none" }).catch(() => undefined);
}

/** Whether the pages run as an installed application. */
export function isInstalled(): boolean {
  return matchMedia("(display-mode: standalone)").matches;
}
