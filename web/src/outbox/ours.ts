/**
 * Which takes were made or queued in this very tab. A take that nobody owns goes out by itself only from there: whoever
 * signs in elsewhere in this browser may be someone else.
 */
const PREFIX = "bubbles-take-";

export function markOurs(id: string): void {
  try {
    sessionStorage.setItem(PREFIX + id, "1");
  } catch {
    // No storage: then whoever signs in is asked.
  }
}

export function isOurs(id: string): boolean {
  try {
    return sessionStorage.getItem(PREFIX + id) !== null;
  } catch {
    return false;
  }
}
