import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { addPasskey, signIn } from "./passkeys";

const device = vi.hoisted(() => ({ startAuthentication: vi.fn(), startRegistration: vi.fn() }));
vi.mock("@simplewebauthn/browser", async (original) => ({ ...(await original<object>()), ...device }));

let asked: { path: string; body: unknown }[] = [];

/** A service that answers in turn. */
function answers(...inTurn: Response[]): void {
  vi.stubGlobal("fetch", (path: string, { body }: { body: string }) => {
    asked.push({ path, body: JSON.parse(body) as unknown });
    return Promise.resolve(inTurn.shift());
  });
}

beforeEach(() => {
  asked = [];
  device.startAuthentication.mockReset().mockResolvedValue({ id: "signed" });
  device.startRegistration.mockReset().mockResolvedValue({ id: "made" });
});
afterEach(() => vi.unstubAllGlobals());

const declined = (): Error => Object.assign(new Error("declined"), { name: "NotAllowedError" });

test("signing in answers the challenge and goes on to where the service says", async () => {
  answers(Response.json({ challenge: "abc" }), Response.json({ next: "/studio" }));
  const wentTo: string[] = [];
  expect(await signIn({ handle: "ada", next: "/account" }, (path) => wentTo.push(path))).toBe("done");
  expect(device.startAuthentication).toHaveBeenCalledWith({ optionsJSON: { challenge: "abc" } });
  expect(asked[1]).toEqual({ path: "/sign-in/passkey", body: { credential: { id: "signed" }, handle: "ada", next: "/account" } });
  expect(wentTo).toEqual(["/studio"]);
});

test("adding one sends what the device made, with its name", async () => {
  answers(Response.json({ challenge: "abc" }), new Response(null, { status: 204 }));
  expect(await addPasskey("Blue key")).toBe("done");
  expect(asked[1]).toEqual({ path: "/account/passkeys", body: { credential: { id: "made" }, name: "Blue key" } });
});

test("the present password goes with what asks for the challenge, and one that is wrong is told", async () => {
  answers(new Response(null, { status: 403 }));
  expect(await addPasskey("Blue key", "seven lemons")).toBe("present");
  expect(asked).toEqual([{ path: "/account/passkeys/challenge", body: { present: "seven lemons" } }]);
});

test("what went wrong is told apart", async () => {
  answers(new Response(null, { status: 429 }));
  expect(await addPasskey("")).toBe("slow");
  answers(Response.json({}), new Response(null, { status: 401 }));
  expect(await signIn({ handle: "", next: "" }, () => undefined)).toBe("failed");
  answers(Response.json({}));
  device.startAuthentication.mockRejectedValue(declined());
  expect(await signIn({ handle: "", next: "" }, () => undefined)).toBe("cancelled");
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("offline")));
  expect(await addPasskey("")).toBe("failed");
});
