// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { showWhoIsHere } from "./me";

const register = vi.fn();

beforeEach(() => {
  register.mockReset().mockResolvedValue(undefined);
  vi.stubGlobal("navigator", { serviceWorker: { register } });
  document.body.innerHTML = `<span data-fragment="/me">Sign in</span>`;
});

async function shown(answer: () => Promise<Response>): Promise<string | null> {
  vi.stubGlobal("fetch", answer);
  const place = document.querySelector("span")!;
  await showWhoIsHere(place);
  return place.textContent;
}

it("names who is signed in, and keeps the recorder for them", async () => {
  expect(await shown(async () => new Response("<b>ana</b>"))).toBe("ana");
  expect(register).toHaveBeenCalledOnce();
});

it("keeps nothing for who only reads, nor for who cannot be asked", async () => {
  expect(await shown(async () => new Response(null, { status: 204 }))).toBe("Sign in");
  expect(await shown(() => Promise.reject(new TypeError()))).toBe("Sign in");
  expect(register).not.toHaveBeenCalled();
});

it("says who is here where the browser will have no service worker", async () => {
  register.mockRejectedValue(new DOMException("", "SecurityError"));
  expect(await shown(async () => new Response("<b>ana</b>"))).toBe("ana");
  vi.stubGlobal("navigator", {});
  expect(await shown(async () => new Response("<b>ben</b>"))).toBe("ben");
});
