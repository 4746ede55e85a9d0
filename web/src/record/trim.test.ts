import { describe, expect, it } from "vitest";
import { cut, fitted, isCut, whole } from "./trim";
import { wavOf } from "./wav";

describe("fitted", () => {
  it("keeps the ends inside and apart", () => {
    expect(fitted({ start_s: -1, end_s: 99 }, "end", 10, 120)).toEqual({ start_s: 0, end_s: 10 });
    expect(fitted({ start_s: 9, end_s: 4 }, "start", 10, 120)).toEqual({ start_s: 3.5, end_s: 4 });
    expect(fitted({ start_s: 6, end_s: 4 }, "end", 10, 120)).toEqual({ start_s: 6, end_s: 6.5 });
  });

  it("never grows past the limit: the other end follows", () => {
    expect(whole(121, 120)).toEqual({ start_s: 0, end_s: 120 });
    expect(fitted({ start_s: 0, end_s: 121 }, "end", 121, 120)).toEqual({ start_s: 1, end_s: 121 });
    expect(fitted({ start_s: 0, end_s: 121 }, "start", 121, 120)).toEqual({ start_s: 0, end_s: 120 });
  });

  it("leaves a take alone that is shorter than the shortest", () => {
    expect(fitted({ start_s: 0.1, end_s: 0.2 }, "start", 0.3, 120)).toEqual({ start_s: 0, end_s: 0.3 });
  });
});

it("tells a cut from a rounding", () => {
  expect(isCut({ start_s: 0, end_s: 9.995 }, 10)).toBe(false);
  expect(isCut({ start_s: 0.1, end_s: 10 }, 10)).toBe(true);
});

describe("cut", () => {
  const sound = new Float32Array(48_000).fill(0.5);

  it("keeps what lies between, faded where it was cut and only there", () => {
    const kept = cut(sound, 48_000, { start_s: 0.25, end_s: 1 });
    expect(kept).toHaveLength(36_000);
    expect([kept[0], kept[240], kept[35_999]]).toEqual([0, 0.5, 0.5]);
  });

  it("leaves the take itself whole", () => {
    cut(sound, 48_000, { start_s: 0.1, end_s: 0.9 });
    expect(sound.every((sample) => sample === 0.5)).toBe(true);
  });
});

describe("wavOf", () => {
  it("writes what it says in its header", () => {
    const view = new DataView(wavOf(Float32Array.from([0, 1, -1, 2]), 48_000));
    const text = (at: number, length: number) =>
      String.fromCharCode(...new Uint8Array(view.buffer, at, length));
    expect([text(0, 4), text(8, 8), text(36, 4)]).toEqual(["RIFF", "WAVEfmt ", "data"]);
    expect([view.getUint16(22, true), view.getUint32(24, true), view.getUint16(34, true)]).toEqual([1, 48_000, 16]);
    expect([view.getUint32(4, true), view.getUint32(40, true), view.byteLength]).toEqual([44, 8, 52]);
    expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([0, 32767, -32767, 32767]);
  });

  it("puts two minutes into less than a request takes", () => {
    expect(wavOf(new Float32Array(120 * 48_000), 48_000).byteLength).toBe(11_520_044);
  });
});
