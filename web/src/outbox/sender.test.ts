import "fake-indexeddb/auto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Answer } from "./answer";
import { fakeLocks } from "./fake-locks";
import { unlessHeld } from "./hold";
import { Noticeboard, type News } from "./news";
import { Sender, type World } from "./sender";
import { handedTo, published, reopened } from "./stages";
import { BLANK, newTake, type Take } from "./take";
import { Vault } from "./vault";

const ACCEPTED: Answer = { kind: "accepted", code: "CODE", url: "http://here/b/CODE" };
const LOST: Answer = { kind: "later", because: "network", after_s: null };

/** A house that gives these answers in turn, and remembers what it was sent. */
class House implements World {
  readonly got: { take: Take; sound: Blob }[] = [];
  at_ms = 1_000;
  handle: string | null = "ana";
  isThere = true;
  during: () => Promise<unknown> = async () => undefined;

  constructor(readonly answers: Answer[]) {}

  post = async (take: Take, sound: Blob): Promise<Answer> => {
    this.got.push({ take, sound });
    await this.during();
    return this.answers.shift() ?? ACCEPTED;
  };
  whoIsHere = async () => (this.isThere ? { handle: this.handle, channels: [] } : null);
  now_ms = () => this.at_ms;
  chance = () => 1;
  isThisTab = true;
  isOurs = (_: string) => this.isThisTab;
}

let vault: Vault;

beforeEach(async () => {
  vi.stubGlobal("navigator", { locks: fakeLocks() });
  vault?.close();
  indexedDB.deleteDatabase("bubbles-outbox");
  vault = await Vault.open();
});

async function queue(given: Partial<Take> = {}): Promise<Take> {
  const take = published(newTake({ type: "audio/webm", stage: "draft", ...given }), { ...BLANK, title: "Quay" });
  await vault.put({ ...take, ...given });
  await vault.append(take.id, 1, new Uint8Array([3, 4]).buffer);
  await vault.append(take.id, 0, new Uint8Array([1, 2]).buffer);
  return take;
}

const sender = (house: World, board = new Noticeboard()) => new Sender(vault, board, house);

describe("sending", () => {
  it("sends the pieces in their order, and keeps a receipt but no sound", async () => {
    const { id } = await queue();
    const house = new House([]);
    await sender(house).flush();
    expect([...new Uint8Array(await house.got[0]!.sound.arrayBuffer())]).toEqual([1, 2, 3, 4]);
    expect(await vault.take(id)).toMatchObject({ stage: "sent", bubble: { code: "CODE" } });
    expect((await vault.sound(id)).size).toBe(0);
  });

  it("sends a trimmed sound in place of the original", async () => {
    const { id } = await queue();
    await vault.change(id, reopened);
    await vault.setCut(id, new Uint8Array([9]).buffer);
    await vault.change(id, (take) => published(take, take.fields));
    const house = new House([]);
    await sender(house).flush();
    expect([house.got[0]!.sound.size, house.got[0]!.sound.type]).toEqual([1, "audio/wav"]);
  });

  it("loses nothing to a lost answer: the same key and the same fields again, when it is time", async () => {
    const { id } = await queue();
    const house = new House([LOST]);
    await sender(house).flush();
    await sender(house).flush();
    expect(house.got).toHaveLength(1);
    expect((await vault.sound(id)).size).toBe(4);
    house.at_ms += 2_000;
    await sender(house).flush();
    expect(house.got[1]!.take).toMatchObject({ key: house.got[0]!.take.key, fields: house.got[0]!.take.fields });
    expect(await vault.take(id)).toMatchObject({ stage: "sent" });
  });

  it("goes at once when the network is back", async () => {
    await queue();
    const house = new House([LOST]);
    await sender(house).flush();
    await sender(house).flush({ eager: true });
    expect(house.got).toHaveLength(2);
  });

  it("does not try while the house cannot be asked who is here", async () => {
    const { id } = await queue();
    const house = new House([]);
    house.isThere = false;
    await sender(house).flush();
    expect(house.got).toHaveLength(0);
    expect(await vault.take(id)).toMatchObject({ stage: "queued", waits: "network" });
  });

  it("sends once from two tabs", async () => {
    await queue();
    const house = new House([]);
    await Promise.all([sender(house).flush(), sender(house).flush(), sender(house).flush()]);
    expect(house.got).toHaveLength(1);
  });

  it("looks again for what came while it was sending", async () => {
    await queue();
    const house = new House([]);
    const ours = sender(house);
    house.during = async () => {
      house.during = async () => undefined;
      await queue({ title: "second" } as Partial<Take>);
      void ours.flush();
    };
    await ours.flush();
    expect(house.got).toHaveLength(2);
  });

  it("stops at a refusal, and sends the others", async () => {
    const first = await queue({ recordedAt: "2026-01-01T00:00:00Z" });
    const second = await queue({ recordedAt: "2026-01-02T00:00:00Z" });
    await sender(new House([{ kind: "refused", code: "silent" }])).flush();
    expect(await vault.take(first.id)).toMatchObject({ stage: "stuck", refusal: "silent" });
    expect((await vault.sound(first.id)).size).toBe(4);
    expect(await vault.take(second.id)).toMatchObject({ stage: "sent" });
  });

  it("keeps a take that was taken back while it was on its way, when the way failed", async () => {
    const { id } = await queue();
    const house = new House([{ kind: "refused", code: "bad_text" }]);
    house.during = () => vault.change(id, reopened);
    await sender(house).flush();
    expect(await vault.take(id)).toMatchObject({ stage: "draft" });
  });
});

describe("a take that is on its way", () => {
  it("waits for nothing, also when it did before, and is held so that nobody throws it away", async () => {
    const { id } = await queue();
    const house = new House([LOST]);
    await sender(house).flush();
    const seen: unknown[] = [];
    house.during = async () => {
      seen.push((await vault.take(id))?.waits);
      seen.push(await unlessHeld(id, () => vault.remove(id)));
    };
    await sender(house).flush({ eager: true });
    expect(seen).toEqual([null, false]);
    expect(await vault.take(id)).toMatchObject({ stage: "sent" });
    expect(await unlessHeld(id, () => vault.remove(id))).toBe(true);
  });

  it("is sent once when another tab, where it is still a draft, publishes it after", async () => {
    const { id } = await queue();
    const house = new House([]);
    await sender(house).flush();
    await vault.change(id, (take) => published(take, { ...BLANK, title: "From the other tab" }));
    await sender(house).flush();
    expect(house.got).toHaveLength(1);
    expect(await vault.take(id)).toMatchObject({ stage: "sent", bubble: { code: "CODE" } });
  });

  it("was not taken back to be changed in the moment before", async () => {
    const { id } = await queue();
    const house = new House([]);
    house.isOurs = () => {
      void vault.change(id, reopened);
      return true;
    };
    await sender(house).flush();
    expect(house.got).toHaveLength(0);
    expect(await vault.take(id)).toMatchObject({ stage: "draft" });
  });
});

describe("storage in trouble", () => {
  const refuse = (name: string) => () => Promise.reject(new DOMException("", name));

  it("keeps no other take back: what cannot be read waits, and is tried again", async () => {
    const [first, second] = [await queue({ recordedAt: "2026-01-01" }), await queue({ recordedAt: "2026-01-02" })];
    vi.spyOn(vault, "sound").mockImplementationOnce(refuse("NotReadableError"));
    const house = new House([]);
    await sender(house).flush();
    expect(await vault.take(first.id)).toMatchObject({ stage: "queued", waits: "device", notBefore_ms: 3_000 });
    expect(await vault.take(second.id)).toMatchObject({ stage: "sent" });
    house.at_ms = 3_000;
    await sender(house).flush();
    expect((await vault.take(first.id))?.stage).toBe("sent");
  });

  it("that is full lets what waits leave, and so makes room for its receipt", async () => {
    const { id } = await queue();
    const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
      throw new DOMException("", "QuotaExceededError");
    });
    const house = new House([]);
    const dropped = vi.spyOn(IDBObjectStore.prototype, "delete").mockImplementationOnce(function (this: IDBObjectStore, key) {
      put.mockRestore();
      return this.delete(key);
    });
    await sender(house).flush().finally(() => dropped.mockRestore());
    expect(house.got[0]!.take).toMatchObject({ owner: "ana", fields: { channel: "ana" } });
    expect(await vault.take(id)).toMatchObject({ stage: "sent", bubble: { code: "CODE" } });
    expect((await vault.sound(id)).size).toBe(0);
  });

  it("that takes nothing of one take keeps no other back, and is told", async () => {
    const [, second] = [await queue({ recordedAt: "2026-01-01" }), await queue({ recordedAt: "2026-01-02" })];
    const change = vi.spyOn(vault, "change");
    change.mockImplementationOnce(refuse("UnknownError")).mockImplementationOnce(refuse("UnknownError"));
    await expect(sender(new House([])).flush()).rejects.toThrow();
    expect(await vault.take(second.id)).toMatchObject({ stage: "sent" });
  });
});

describe("whose it is", () => {
  it("waits for somebody to sign in, then goes by itself as theirs", async () => {
    const { id } = await queue();
    const house = new House([]);
    house.handle = null;
    await sender(house).flush();
    expect(await vault.take(id)).toMatchObject({ stage: "queued", waits: "sign-in", owner: null });
    house.handle = "ana";
    await sender(house).flush();
    expect(house.got[0]!.take).toMatchObject({ owner: "ana", fields: { channel: "ana" } });
  });

  it("of nobody is not sent as who signs in elsewhere, until they say that it is theirs", async () => {
    const { id } = await queue();
    const house = new House([]);
    house.isThisTab = false;
    await sender(house).flush();
    expect(house.got).toHaveLength(0);
    expect(await vault.take(id)).toMatchObject({ stage: "queued", waits: "other-account", owner: null });
    await vault.change(id, (take) => handedTo(take, "ana"));
    await sender(house).flush();
    expect(house.got[0]!.take).toMatchObject({ owner: "ana", fields: { channel: "ana" } });
  });

  it("of nobody still goes from its own tab after another tab has held it back", async () => {
    const { id } = await queue();
    const house = new House([]);
    house.isThisTab = false;
    await sender(house).flush();
    house.isThisTab = true;
    await sender(house).flush();
    expect(await vault.take(id)).toMatchObject({ stage: "sent", waits: null });
  });

  it("is not sent as another account", async () => {
    const { id } = await queue({ owner: "ana" });
    const house = new House([]);
    house.handle = "ben";
    await sender(house).flush();
    expect(house.got).toHaveLength(0);
    expect(await vault.take(id)).toMatchObject({ stage: "queued", waits: "other-account" });
  });

  it("keeps a take of who was signed out in between", async () => {
    const { id } = await queue({ owner: "ana" });
    await sender(new House([{ kind: "signed-out" }])).flush();
    expect(await vault.take(id)).toMatchObject({ stage: "queued", waits: "sign-in" });
  });
});

it("tells the other tabs", async () => {
  const { id } = await queue();
  const [ours, theirs] = [new Noticeboard(), new Noticeboard()];
  const heard: News[] = [];
  const told = new Promise<void>((resolve) =>
    theirs.listen((news) => {
      heard.push(news);
      if (news.kind === "changed") resolve();
    }),
  );
  await sender(new House([]), ours).flush();
  await told;
  expect(heard).toEqual([
    { kind: "who", handle: "ana" },
    { kind: "progress", id, sent: 0 },
    { kind: "changed", id },
  ]);
});

it("knows when to come back", async () => {
  const { id } = await queue();
  const house = new House([{ kind: "later", because: "house", after_s: 60 }]);
  const ours = sender(house);
  await ours.flush();
  expect(await ours.nextDue_ms()).toBe(61_000);
  await vault.remove(id);
  expect(await ours.nextDue_ms()).toBeNull();
});
