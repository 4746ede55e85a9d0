// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import { newTake } from "../outbox/take";
import type { Vault } from "../outbox/vault";
import { Review } from "./review";
import type { Sound } from "./sound";

vi.mock("../texts", () => ({ text: (key: string) => key, language: () => "en" }));

const RATE_HZ = 1_000;
/** The files that are being decoded, and what ends that. */
const decoding = new Map<string, (sound: Sound) => void>();
vi.mock("./sound", () => ({
  Playback: class {
    at_s = null;
    stop(): void {}
  },
  decoded: async (file: Blob) => {
    const name = await file.text();
    return new Promise<Sound>((resolve) => decoding.set(name, resolve));
  },
}));

let review: Review;
const setCut = vi.fn();

beforeEach(() => {
  document.body.innerHTML = `
    <section>
      <div data-trimmer><svg data-wave><path /></svg></div>
      <input data-trim-start type="range" /><input data-trim-end type="range" />
      <button data-listen></button><span data-listen-label></span><p data-times></p><p data-faults></p>
      <button data-download></button>
    </section>`;
  const vault = { original: async (id: string) => new Blob([id]), setCut } as unknown as Vault;
  decoding.clear();
  setCut.mockReset();
  review = new Review(document.querySelector("section")!, vault, { limit_s: 120, silence_dbfs: -60 });
});

function take(id: string, end_s: number) {
  return newTake({ id, type: "audio/wav", stage: "draft", trim: { start_s: 0, end_s } });
}

async function decode(id: string, duration_s: number): Promise<void> {
  await vi.waitFor(() => expect(decoding.has(id)).toBe(true));
  decoding.get(id)!({ samples: new Float32Array(duration_s * RATE_HZ).fill(0.5), rate_hz: RATE_HZ, duration_s });
}

it("keeps the sound and the cut of the take that is open, whenever another's sound is ready", async () => {
  const slow = review.open(take("slow", 30));
  const quick = review.open(take("quick", 2));
  await decode("quick", 3);
  await quick;
  await decode("slow", 60);
  await slow;
  expect(await review.settle()).toEqual({ start_s: 0, end_s: 2 });
  const [id, wav] = setCut.mock.calls[0] as [string, ArrayBuffer];
  expect([id, wav.byteLength]).toEqual(["quick", 44 + 2 * 2 * RATE_HZ]);
});

it("leaves the cut of a take as it was while its sound is not there", async () => {
  void review.open(take("slow", 30));
  expect(await review.settle()).toEqual({ start_s: 0, end_s: 30 });
  expect(setCut).not.toHaveBeenCalled();
});

it("opens nothing once it is closed", async () => {
  const opened = review.open(take("slow", 30));
  review.close();
  await decode("slow", 60);
  await opened;
  expect(document.querySelector("[data-times]")!.textContent).toBe("");
});
