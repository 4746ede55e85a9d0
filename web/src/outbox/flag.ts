/**
 * Whether there may be takes to send, readable at once and without making a database: every page asks at its load, and
 * for who never recorded nothing is stored and nothing more is loaded.
 */
const FLAG = "bubbles-outbox";

export function setFlag(isUp: boolean): void {
  try {
    if (isUp) localStorage.setItem(FLAG, "1");
    else localStorage.removeItem(FLAG);
  } catch {
    // No storage: then there is no outbox on other pages either.
  }
}

export function isFlagUp(): boolean {
  try {
    return localStorage.getItem(FLAG) !== null;
  } catch {
    return false;
  }
}
