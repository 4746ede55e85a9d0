import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Beacon } from "./beacon";

interface Told {
  play: string;
  heard: [number, number][];
  by: "fetch" | "beacon";
  credentials?: string;
}

let told: Told[];
/** The house: who is at which address, and which address began each play. */
let address: string;
let begun: Map<string, string>;

beforeEach(() => {
  vi.useFakeTimers();
  [told, address, begun] = [[], "wifi", new Map()];
  vi.stubGlobal("fetch", async (_: string, asked: RequestInit) => {
    const sent = JSON.parse(String(asked.body)) as Told;
    told.push({ ...sent, by: "fetch", credentials: String(asked.credentials) });
    if (!begun.has(sent.play)) begun.set(sent.play, address);
    return { status: begun.get(sent.play) === address ? 204 : 409 };
  });
  const sendBeacon = (_: string, body: Blob): boolean => {
    void body.text().then((text) => told.push({ ...JSON.parse(text), by: "beacon" }));
    return true;
  };
  vi.stubGlobal("navigator", { sendBeacon });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settled = () => vi.advanceTimersByTimeAsync(0);

/** Plays, a quarter of a second at a time. */
async function hear(beacon: Beacon, from_s: number, to_s: number): Promise<void> {
  for (let at_s = from_s; at_s <= to_s; at_s += 0.25) {
    beacon.moved(at_s, 1);
    await vi.advanceTimersByTimeAsync(250);
  }
}

function heardIn(play: string): [number, number][] | undefined {
  return told.filter((each) => each.play === play).at(-1)?.heard;
}

it("tells the whole of what was heard, in one play, as it begins, every ten seconds, and at a pause", async () => {
  const beacon = new Beacon("c");
  beacon.started(0);
  await hear(beacon, 0, 12);
  beacon.stopped();
  await settled();
  expect(new Set(told.map(({ play }) => play)).size).toBe(1);
  expect(told.map(({ heard }) => heard)).toEqual([[], [[0, 10]], [[0, 12]]]);
});

it("begins another play at another address, with what is heard from there on", async () => {
  const beacon = new Beacon("c");
  beacon.started(0);
  await hear(beacon, 0, 10);
  address = "mobile";
  await hear(beacon, 10.25, 35);
  beacon.ended();
  await settled();
  const [first, second, ...others] = new Set(told.map(({ play }) => play));
  expect(others).toEqual([]);
  expect(told.find(({ play }) => play === second)?.heard).toEqual([]);
  expect(begun.get(String(second))).toBe("mobile");
  const refused_s = heardIn(String(first))?.[0]?.[1];
  expect(heardIn(String(second))).toEqual([[refused_s, 35]]);
});

it("begins none for an answer that comes when nothing plays", async () => {
  const beacon = new Beacon("c");
  beacon.started(0);
  await hear(beacon, 0, 5);
  address = "mobile";
  beacon.stopped();
  await settled();
  expect(begun.size).toBe(1);
  beacon.started(5);
  await hear(beacon, 5, 8);
  beacon.ended();
  await settled();
  expect(begun.size).toBe(2);
  expect(told.at(-1)?.heard).toEqual([[5, 8]]);
});

it("waits for no answer when the page goes", async () => {
  const beacon = new Beacon("c");
  beacon.started(0);
  await hear(beacon, 0, 3);
  beacon.left();
  await settled();
  expect(told.map(({ by }) => by)).toEqual(["fetch", "beacon"]);
  expect(told.at(-1)?.heard).toEqual([[0, 3]]);
});

it("sends no cookie when it is anonymous, not even as the page goes", async () => {
  const beacon = new Beacon("c", true);
  beacon.started(0);
  await hear(beacon, 0, 3);
  beacon.left();
  await settled();
  expect(told.map(({ by, credentials }) => [by, credentials])).toEqual([["fetch", "omit"], ["fetch", "omit"]]);
});
