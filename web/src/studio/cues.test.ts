import { expect, it } from "vitest";
import { added, doubted, joined, moved, named, rewritten, same, SHORTEST_S, split, toSend, without } from "./cues";

const WORDS = [
  { start_s: 0, end_s: 4, text: "Fresh lemons at the harbour.", unsure: false },
  { start_s: 4, end_s: 6, text: "Perhaps some zebras.", unsure: true },
  { start_s: 8, end_s: 9, text: "At nine.", unsure: false },
];
const desk = () => named(WORDS);
const ids = (cues: { id: number }[]) => cues.map(({ id }) => id);

it("is sure of what a person wrote, and of nothing that they left as it was", () => {
  const cues = desk();
  const id = cues[1]!.id;
  expect(rewritten(cues, id, "Perhaps some zebras.")[1]!.unsure).toBe(true);
  expect(rewritten(cues, id, "Perhaps some Zebra crossing.")[1]).toMatchObject({ unsure: false });
  expect(doubted(cues, id, false)[1]!.unsure).toBe(false);
});

it("leaves the old list as it was", () => {
  const cues = desk();
  const before = JSON.stringify(cues);
  const id = cues[0]!.id;
  for (const change of [rewritten(cues, id, "x"), split(cues, id, 5), joined(cues, id), without(cues, id)]) {
    expect(change).not.toBe(cues);
  }
  moved(cues, id, "end_s", 1, 10);
  added(cues, id, 10);
  expect(JSON.stringify(cues)).toBe(before);
});

it("splits words and time in the same measure, and puts both together again", () => {
  const cues = desk();
  const parts = split(cues, cues[0]!.id, 13);
  expect(parts.slice(0, 2)).toMatchObject([
    { start_s: 0, text: "Fresh lemons", unsure: false },
    { end_s: 4, text: "at the harbour." },
  ]);
  expect(parts[0]!.end_s).toBe(parts[1]!.start_s);
  expect(new Set(ids(parts)).size).toBe(4);
  expect(toSend(joined(parts, parts[0]!.id))).toEqual(WORDS);
});

it("cuts nothing where there are no words, or no time, on one side", () => {
  const cues = desk();
  for (const caret of [0, cues[0]!.text.length]) expect(split(cues, cues[0]!.id, caret)).toHaveLength(3);
  const short = named([{ start_s: 1, end_s: 1.3, text: "no no", unsure: false }]);
  expect(split(short, short[0]!.id, 2)).toHaveLength(1);
});

it("stays unsure when half of what is joined is", () => {
  const cues = desk();
  expect(joined(cues, cues[0]!.id)[0]).toMatchObject({ unsure: true, end_s: 6 });
  expect(joined(cues, cues[2]!.id)).toHaveLength(3);
});

it("adds a line into the gap, at the very start, and at the end", () => {
  const cues = desk();
  const gap = added(cues, cues[1]!.id, 10);
  expect(gap.cues[2]).toMatchObject({ id: gap.id, start_s: 6, end_s: 8, text: "" });
  expect(added([], null, 10).cues).toMatchObject([{ start_s: 0, end_s: 2 }]);
  expect(added(cues, cues[2]!.id, 9.5).cues[3]).toMatchObject({ start_s: 9, end_s: 9.5 });
  for (const { cues: lines } of [gap, added(cues, cues[2]!.id, 9), added(cues, null, 10), added([], null, 0.3)]) {
    for (const cue of lines) expect(cue.end_s).toBeGreaterThan(cue.start_s);
    const starts = lines.map((cue) => cue.start_s);
    expect(starts).toEqual([...starts].sort((one, other) => one - other));
  }
});

it("moves a time no further than the stretch, its neighbours and the bubble let it", () => {
  const cues = desk();
  const [first, second, third] = ids(cues) as [number, number, number];
  expect(moved(cues, second, "start_s", 0.1, 10)[1]!.start_s).toBe(4.1);
  expect(moved(cues, second, "start_s", -99, 10)[1]!.start_s).toBe(0);
  expect(moved(cues, second, "start_s", 99, 10)[1]!.start_s).toBe(6 - SHORTEST_S);
  expect(moved(cues, first, "end_s", -99, 10)[0]!.end_s).toBe(SHORTEST_S);
  expect(moved(cues, third, "end_s", 99, 10)[2]!.end_s).toBe(10);
  expect(moved(cues, third, "end_s", -0.1, 10)[2]!.end_s).toBe(8.9);
});

it("sends lines with words, in order", () => {
  const cues = named([WORDS[2]!, { ...WORDS[0]!, text: "  " }, WORDS[1]!]);
  expect(toSend(cues).map(({ text }) => text)).toEqual(["Perhaps some zebras.", "At nine."]);
  expect(same(toSend(desk()), WORDS)).toBe(true);
  expect(same(toSend(cues), WORDS)).toBe(false);
});
