import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
  WebAuthnError,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";

/** How it went: `done`, or the last word of the text that says why not. */
export type Outcome = "done" | "failed" | "cancelled" | "known" | "slow" | "present";

const TOO_MANY = 429;
const NOT_PROVEN = 403;

export const supportsPasskeys = browserSupportsWebAuthn;

/** Signs in by a passkey; `goTo` is given the page to go on to. */
export async function signIn(wanted: { handle: string; next: string }, goTo: (path: string) => void): Promise<Outcome> {
  return told(async () => {
    const optionsJSON = (await post("/sign-in/passkey/challenge")) as PublicKeyCredentialRequestOptionsJSON;
    const credential = await startAuthentication({ optionsJSON });
    const answer = (await post("/sign-in/passkey", { credential, ...wanted })) as { next: string };
    goTo(answer.next);
  });
}

/** Makes a passkey on this device and has it kept under a name; `present` is the present password, where it is asked for. */
export async function addPasskey(name: string, present = ""): Promise<Outcome> {
  return told(async () => {
    const optionsJSON = (await post("/account/passkeys/challenge", { present })) as PublicKeyCredentialCreationOptionsJSON;
    const credential = await startRegistration({ optionsJSON });
    await post("/account/passkeys", { credential, name });
  });
}

const refusals = new Map<number, Outcome>([
  [TOO_MANY, "slow"],
  [NOT_PROVEN, "present"],
]);

class Refusal extends Error {
  constructor(readonly status: number) {
    super(String(status));
  }
}

async function post(path: string, body: object = {}): Promise<unknown> {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Refusal(answer.status);
  return answer.status === 204 ? null : answer.json();
}

async function told(attempt: () => Promise<void>): Promise<Outcome> {
  try {
    await attempt();
    return "done";
  } catch (error) {
    return outcomeOf(error);
  }
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Refusal) return refusals.get(error.status) ?? "failed";
  if (error instanceof WebAuthnError && error.code === "ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED") return "known";
  // Browsers say the same when the person declines, when nothing answers in time and when no passkey is there.
  const name = error instanceof Error ? error.name : "";
  return name === "NotAllowedError" || name === "AbortError" ? "cancelled" : "failed";
}
