import { extensionOf } from "../record/ladder";
import { read, type Answer } from "./answer";
import type { Fields, Take } from "./take";

const TIMEOUT_MS = 10 * 60_000;

/** Sends a take; `progress` is told the part of the bytes that left, 0 to 1. XHR, for fetch cannot tell. */
export function post(take: Take, sound: Blob, progress: (sent: number) => void): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/bubbles");
    request.timeout = TIMEOUT_MS;
    request.setRequestHeader("Idempotency-Key", take.key);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("loadend", () =>
      resolve(read(request.status, request.responseText, request.getResponseHeader("Retry-After"))),
    );
    request.send(formOf(take, sound));
  });
}

/** The form of a take: what is blank is left out, the sound comes last. */
export function formOf(take: Take, sound: Blob): FormData {
  const form = new FormData();
  const sent: [string, string][] = [...entries(take.fields), ["recorded_at", take.recordedAt]];
  for (const [name, value] of sent) form.append(name, value);
  form.append("audio", sound, `take.${extensionOf(sound.type)}`);
  return form;
}

function entries(fields: Fields): [string, string][] {
  const { latitude, longitude, place_role, precision, ...texts } = fields;
  const told: [string, string][] = Object.entries(texts);
  if (latitude !== null && longitude !== null && precision !== "none") {
    told.push(["latitude", degrees(latitude)], ["longitude", degrees(longitude)]);
    told.push(["place_role", place_role], ["precision", precision]);
  }
  return told.filter(([, value]) => value.trim() !== "");
}

/** Never in the notation that small numbers have by default: 1e-7. */
function degrees(value: number): string {
  return value.toFixed(6);
}
