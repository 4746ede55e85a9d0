import "fake-indexeddb/auto";
import { forceCloseDatabase } from "fake-indexeddb";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { isFlagUp, setFlag } from "./flag";
import { newTake } from "./take";
import { Vault } from "./vault";

let vault: Vault;
/** The connections that the vault has opened, as the browser knows them. */
let connections: IDBDatabase[];
const open = IDBFactory.prototype.open;

beforeEach(async () => {
  vault?.close();
  indexedDB.deleteDatabase("bubbles-outbox");
  connections = [];
  vi.spyOn(IDBFactory.prototype, "open").mockImplementation(function (this: IDBFactory, ...given) {
    const asked = open.apply(this, given);
    asked.addEventListener("success", () => connections.push(asked.result));
    return asked;
  });
  vault = await Vault.open();
});

const sound = (...bytes: number[]): ArrayBuffer => new Uint8Array(bytes).buffer;

async function draft(): Promise<string> {
  const take = newTake({ type: "audio/webm", stage: "draft" });
  await vault.put(take);
  await vault.append(take.id, 0, sound(1));
  return take.id;
}

describe("a connection that the browser has dropped", () => {
  const close = (database: IDBDatabase): void => database.close();

  it.each([
    ["without a word", close],
    ["and says so", forceCloseDatabase as unknown as typeof close],
  ])("%s is opened again, and nothing of a take is missing", async (_, end) => {
    const id = await draft();
    end(connections[0]!);
    await vault.append(id, 1, sound(2));
    end(connections[1]!);
    expect((await vault.original(id)).size).toBe(2);
    end(connections[2]!);
    expect(await vault.change(id, (take) => ({ ...take, tries: 1 }))).toMatchObject({ tries: 1 });
    expect(connections).toHaveLength(4);
  });

  it("in the middle of a change has it made once more", async () => {
    const id = await draft();
    let tries = 0;
    await vault.change(id, (take) => {
      if (!tries++) throw new DOMException("", "AbortError");
      return { ...take, tries };
    });
    expect(await vault.take(id)).toMatchObject({ tries: 2 });
  });

  it("is not asked for again and again", async () => {
    const id = await draft();
    const broken = () => {
      throw new DOMException("", "UnknownError");
    };
    await expect(vault.change(id, broken)).rejects.toThrow();
    expect(connections).toHaveLength(2);
  });
});

it("that could not be opened at first is tried again", async () => {
  vault.close();
  vi.spyOn(IDBFactory.prototype, "open").mockImplementationOnce(() => {
    throw new DOMException("", "UnknownError");
  });
  expect(await vault.takes()).toEqual([]);
});

it("raises the flag again that another tab has lowered when its own last take went", async () => {
  const kept = new Map<string, string>();
  const setItem = (key: string, value: string) => kept.set(key, value);
  vi.stubGlobal("localStorage", { setItem, removeItem: (key: string) => kept.delete(key), getItem: (key: string) => kept.get(key) ?? null });
  const id = await draft();
  setFlag(false);
  await vault.change(id, (take) => take);
  expect(isFlagUp()).toBe(true);
  await vault.remove(id);
  expect(isFlagUp()).toBe(false);
});

describe("what is sent in place of the original", () => {
  it("is what its author has cut", async () => {
    const id = await draft();
    await vault.setCut(id, sound(7, 8, 9));
    expect((await vault.sound(id)).size).toBe(3);
    await vault.setCut(id, null);
    expect((await vault.sound(id)).size).toBe(1);
  });

  it.each(["queued", "stuck", "sent"] as const)("stays as it is once the take is %s", async (stage) => {
    const id = await draft();
    await vault.setCut(id, sound(7, 8, 9));
    await vault.change(id, (take) => ({ ...take, stage }));
    await vault.setCut(id, sound(5));
    await vault.setCut(id, null);
    expect((await vault.sound(id)).size).toBe(3);
  });
});
