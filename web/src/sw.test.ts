import { beforeEach, describe, expect, it, vi } from "vitest";

const ORIGIN = "http://here";
const listeners = new Map<string, (event: unknown) => void>();
const cache = { put: vi.fn(), match: vi.fn() };
const network = vi.fn();

vi.stubGlobal("self", {
  shell: { version: "1", pages: ["/offline", "/record"], files: ["/assets/record.js"] },
  location: new URL(ORIGIN),
  addEventListener: (name: string, listener: (event: unknown) => void) => listeners.set(name, listener),
});
vi.stubGlobal("caches", { open: async () => cache });
vi.stubGlobal("fetch", network);
await vi.importActual("./sw");

/** What is still being done for an answer when that has been given. */
let work: Promise<unknown>[];

beforeEach(() => {
  work = [];
  vi.resetAllMocks();
  cache.match.mockImplementation(async (path: string) => (path === "/somewhere" ? undefined : new Response(`kept ${path}`)));
});

async function visit(path: string): Promise<string> {
  const respondWith = vi.fn();
  const request = { method: "GET", url: ORIGIN + path, mode: "navigate" };
  listeners.get("fetch")!({ request, respondWith, waitUntil: (each: Promise<unknown>) => work.push(each) });
  return ((await respondWith.mock.calls[0]![0]) as Response).text();
}

const fresh = async () => new Response("fresh");

describe("a page", () => {
  it("that has come is shown and kept", async () => {
    network.mockImplementation(fresh);
    expect(await visit("/record")).toBe("fresh");
    await Promise.all(work);
    expect(await (cache.put.mock.calls[0] as [string, Response])[1].text()).toBe("fresh");
  });

  it("that has come is shown on a device that has no room to keep it", async () => {
    network.mockImplementation(fresh);
    cache.put.mockRejectedValue(new DOMException("", "QuotaExceededError"));
    expect(await visit("/record")).toBe("fresh");
    await Promise.all(work);
  });

  it("does not wait until it is kept", async () => {
    network.mockImplementation(fresh);
    cache.put.mockReturnValue(new Promise(() => undefined));
    expect(await visit("/record")).toBe("fresh");
    expect(cache.put).toHaveBeenCalledOnce();
  });

  it("that is not for the street is never kept", async () => {
    network.mockImplementation(fresh);
    expect(await visit("/somewhere")).toBe("fresh");
    expect(work).toEqual([]);
  });

  it("that is not well is shown, and the one that is kept stays", async () => {
    network.mockImplementation(async () => new Response("away", { status: 503 }));
    expect(await visit("/record")).toBe("away");
    expect(work).toEqual([]);
  });

  it("that does not come is the kept one, or the one that says so", async () => {
    network.mockRejectedValue(new TypeError());
    expect(await visit("/record")).toBe("kept /record");
    expect(await visit("/somewhere")).toBe("kept /offline");
  });
});
