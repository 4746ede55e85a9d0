import type { Precision } from "../cells";
import { randomId } from "../ids";
import type { Trim } from "../record/trim";

/**
 * Where a take stands: it is being recorded, waits for its author to publish it, waits to be sent, was refused and waits
 * for its author, or was acknowledged by the house. Only then is its sound let go of.
 */
export type Stage = "recording" | "draft" | "queued" | "stuck" | "sent";

/**
 * Why a queued take is not sent at this moment. `device`: the browser could not read it; `other-account`: it is not
 * known to be of who is signed in.
 */
export type Waits = "network" | "house" | "device" | "sign-in" | "other-account";

/** What is published with the sound, as `POST /api/bubbles` takes it. Blank fields are left out. */
export interface Fields {
  title: string;
  tags: string;
  language: string;
  visibility: "public" | "unlisted" | "private";
  licence: string;
  /** Of the terms that were shown when it was published. */
  consent_version: string;
  channel: string;
  place_role: "recorded" | "about";
  precision: Precision;
  /** Already snapped to the cell of the precision; both or neither. */
  latitude: number | null;
  longitude: number | null;
}

/** A take and all that is known of it but its sound. */
export interface Take {
  readonly id: string;
  /** The Idempotency-Key: made with the take, so that whatever is sent twice is published once. */
  readonly key: string;
  /** The handle of who made it; null while nobody was signed in. */
  readonly owner: string | null;
  readonly stage: Stage;
  /** When it was recorded, RFC 3339. */
  readonly recordedAt: string;
  readonly type: string;
  /** The name of a file that was chosen; null for what was recorded here. */
  readonly name: string | null;
  readonly fields: Fields;
  readonly trim: Trim | null;
  readonly waits: Waits | null;
  readonly tries: number;
  /** Not to be sent before, in milliseconds since 1970. */
  readonly notBefore_ms: number;
  /** The code of the refusal, while stuck. */
  readonly refusal: string | null;
  /** Once it is sent. */
  readonly bubble: { readonly code: string; readonly url: string; readonly sentAt_ms: number } | null;
}

export const BLANK: Fields = {
  title: "",
  tags: "",
  language: "",
  visibility: "public",
  licence: "",
  consent_version: "",
  channel: "",
  place_role: "recorded",
  precision: "neighbourhood",
  latitude: null,
  longitude: null,
};

/** A take that begins now. */
export function newTake(given: Partial<Take> & Pick<Take, "type">, now = new Date()): Take {
  return {
    id: randomId(),
    key: randomId(),
    owner: null,
    stage: "recording",
    recordedAt: now.toISOString(),
    name: null,
    fields: BLANK,
    trim: null,
    waits: null,
    tries: 0,
    notBefore_ms: 0,
    refusal: null,
    bubble: null,
    ...given,
  };
}
