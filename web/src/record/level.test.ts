import { describe, expect, it } from "vitest";
import { Watchman, barOf, dbfs, isClipped, isSilent, levelOf, peaks } from "./level";

const sine = (amplitude: number, length = 48_000): Float32Array =>
  Float32Array.from({ length }, (_, at) => amplitude * Math.sin((at * 2 * Math.PI * 440) / 48_000));

describe("levels", () => {
  it("measures a sine", () => {
    expect(dbfs(levelOf(sine(1)).rms)).toBeCloseTo(-3.01, 1);
    expect(levelOf(sine(0.5)).peak).toBeCloseTo(0.5, 2);
    expect(levelOf(new Float32Array(0)).rms).toBe(0);
    expect(dbfs(0)).toBe(-100);
  });

  it("finds the one tenth of a second that is heard", () => {
    const sound = new Float32Array(48_000);
    expect(isSilent(sound, 48_000, -60)).toBe(true);
    sound.set(sine(0.01, 4800), 14_400);
    expect(isSilent(sound, 48_000, -60)).toBe(false);
  });

  it("takes a loud voice for no clipping and a flat top for it", () => {
    expect(isClipped(sine(0.95))).toBe(false);
    expect(isClipped(sine(1.5).map((each) => Math.max(-1, Math.min(1, each))))).toBe(true);
  });

  it("draws parts in order", () => {
    const sound = new Float32Array(100);
    sound[99] = -0.5;
    expect(peaks(sound, 4)).toEqual([0, 0, 0, 0.5]);
    expect([barOf(0), barOf(1), barOf(0.001)]).toEqual([0, 1, 0]);
  });
});

describe("Watchman", () => {
  const hearFor = (watchman: Watchman, samples: Float32Array, from_s: number, for_s: number) => {
    let said = null;
    for (let at_s = from_s; at_s < from_s + for_s; at_s += 0.1) said = watchman.hear(samples, at_s, 0.1);
    return said;
  };

  it("lets one breathe, and speaks after three seconds of nothing", () => {
    const watchman = new Watchman(-60);
    expect(hearFor(watchman, new Float32Array(2048), 0, 2)).toBeNull();
    expect(hearFor(watchman, new Float32Array(2048), 2, 1.5)).toBe("silent");
    expect(hearFor(watchman, sine(0.2, 2048), 4, 0.2)).toBeNull();
  });

  it("says clipping for a moment", () => {
    const watchman = new Watchman(-60);
    expect(watchman.hear(new Float32Array(2048).fill(1), 5, 0.1)).toBe("clipped");
    expect(watchman.hear(sine(0.2, 2048), 6, 0.1)).toBe("clipped");
    expect(watchman.hear(sine(0.2, 2048), 9, 0.1)).toBeNull();
  });
});
