/** Why nothing can be recorded, or kept: each has a text of its own. */
export type Trouble = "insecure" | "unsupported" | "refused" | "missing" | "busy" | "storage" | "full";

/** A trouble that we found ourselves, raised as the browser raises its own. */
export class Hindered extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
}

/**
 * The voice as it is. Browsers' echo cancelling, noise suppression and automatic gain are made for calls: they swallow
 * soft beginnings, pump the room and move the level by many decibels. Nothing is played while a take is recorded, so
 * there is no echo to cancel, and the house brings every bubble to one loudness afterwards.
 */
const HONEST: MediaTrackConstraints = {
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
  channelCount: { ideal: 1 },
};

/** What stands in the way before anyone is asked, or null. */
export function troubleBefore(): Trouble | null {
  // Away from localhost, browsers hand out microphones over HTTPS only.
  if (!isSecureContext) return "insecure";
  const canRecord = "mediaDevices" in navigator && "MediaRecorder" in globalThis;
  return canRecord ? null : "unsupported";
}

/** The microphone, once the person allows it; raises what `troubleOf` reads. */
export function openMicrophone(): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({ audio: HONEST });
}

/** What an error of storage means: the device is full, or the browser keeps nothing for us. */
export function unkept(error: unknown): Hindered {
  return new Hindered(nameOf(error) === "QuotaExceededError" ? "full" : "storage");
}

/** What an error on the way to a take means. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Hindered) return error.trouble;
  const name = nameOf(error);
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  return "busy";
}

/** Calls back when a microphone that was refused is allowed in the browser's settings. */
export async function whenAllowed(allowed: () => void): Promise<void> {
  try {
    const permission = await navigator.permissions.query({ name: "microphone" as PermissionName });
    permission.addEventListener("change", () => permission.state !== "denied" && allowed());
  } catch {
    // Some browsers do not tell: then the button is pressed again.
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : "";
}
