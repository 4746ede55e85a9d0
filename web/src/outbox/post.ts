import { extensionOf } from "../record/ladder";
import { read, type Answer } from "./answer";
import type { Fields, Take } from "./take";

/** So long, in milliseconds, nothing may leave before the line is taken for dead: a phone's stack would wait minutes. */
const STALLED_MS = 45_000;
/** So long the house may look at what has arrived. */
const ANSWER_MS = 3 * 60_000;

/** Sends a take; `progress` is told the part of the bytes that left, 0 to 1. XHR, for fetch cannot tell. */
export function post(take: Take, sound: Blob, progress: (sent: number) => void): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/bubbles");
    request.setRequestHeader("Idempotency-Key", take.key);
    request.setRequestHeader("Accept", "application/json");
    const over = watch(request);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.addEventListener("loadend", () => {
      over();
      resolve(read(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    });
    request.send(formOf(take, sound));
  });
}

/** Gives an upload up when the network is gone or nothing moves: it is tried again, under the same key. */
function watch(request: XMLHttpRequest): () => void {
  const giveUp = (): void => request.abort();
  let timer = setTimeout(giveUp, STALLED_MS);
  const alive = (wait_ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, wait_ms);
  };
  request.upload.addEventListener("progress", () => alive(STALLED_MS));
  request.upload.addEventListener("load", () => alive(ANSWER_MS));
  addEventListener("offline", giveUp);
  return () => {
    clearTimeout(timer);
    removeEventListener("offline", giveUp);
  };
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
