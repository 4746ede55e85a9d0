import { describe, expect, it } from "vitest";
import { Countdown, Watch } from "./countdown";

describe("Countdown", () => {
  it("goes from the limit to nothing", () => {
    const countdown = new Countdown(120);
    expect(countdown.read(0)).toEqual({ left_s: 120, isNear: false, isOver: false, event: null });
    expect(countdown.read(0.2).left_s).toBe(120);
    expect(countdown.read(1).left_s).toBe(119);
    expect(countdown.read(120.4)).toEqual({ left_s: 0, isNear: true, isOver: true, event: "over" });
  });

  it("warns once at ten seconds, and ticks in each of the last three", () => {
    const countdown = new Countdown(120);
    const events = [];
    for (let at_s = 100; at_s <= 121; at_s += 0.1) {
      const { event, left_s } = countdown.read(at_s);
      if (event) events.push([event, left_s]);
    }
    expect(events).toEqual([["warning", 10], ["tick", 3], ["tick", 2], ["tick", 1], ["over", 0]]);
  });

  it("warns late rather than never, when nobody looked in time", () => {
    const countdown = new Countdown(120);
    countdown.read(60);
    expect(countdown.read(114).event).toBe("warning");
  });

  it("has nothing to warn of when the limit is that short", () => {
    const countdown = new Countdown(4);
    expect(countdown.read(0).event).toBeNull();
    expect(countdown.read(1.5).event).toBe("tick");
  });
});

it("counts no pause", () => {
  let now_ms = 5000;
  const watch = new Watch(() => now_ms);
  watch.run();
  now_ms += 2000;
  watch.rest();
  now_ms += 60_000;
  expect(watch.elapsed_s).toBe(2);
  watch.run();
  watch.run();
  now_ms += 500;
  expect(watch.elapsed_s).toBe(2.5);
});
