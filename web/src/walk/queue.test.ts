import { describe, expect, it } from "vitest";
import { Queue, type Voice } from "./queue";

const HERE = { latitude: 45, longitude: 5 };

function voice(code: string, latitude: number | null, longitude = 5): Voice {
  const place = latitude === null ? null : { latitude, longitude, radius_m: 100 };
  return { code, title: code, url: "", channel: { title: "c" }, place, duration_s: 5, renditions: [{ url: "/a", type: "" }] };
}

function played(queue: Queue): string[] {
  const codes: string[] = [];
  for (let next = queue.next(); next; next = queue.next()) codes.push(next.code);
  return codes;
}

describe("the queue of a walk", () => {
  it("plays the nearest first", () => {
    const queue = new Queue();
    queue.offer([voice("far", 45.1), voice("near", 45.001), voice("nowhere", null), voice("middle", 44.99)], HERE);
    expect(played(queue)).toEqual(["near", "middle", "far", "nowhere"]);
  });

  it("keeps the order given where nobody knows where one is, and among equals", () => {
    const voices = [voice("b", 45), voice("a", 45), voice("c", 45)];
    for (const here of [null, HERE]) {
      const queue = new Queue();
      queue.offer(voices, here);
      expect(played(queue)).toEqual(["b", "a", "c"]);
    }
  });

  it("is sorted anew when one moves, and repeats nothing", () => {
    const queue = new Queue();
    const voices = [voice("south", 45), voice("middle", 45.01), voice("north", 45.02)];
    queue.offer(voices, HERE);
    expect(queue.next()?.code).toBe("south");
    queue.offer(voices, { latitude: 45.02, longitude: 5 });
    expect(played(queue)).toEqual(["north", "middle"]);
    queue.offer(voices, HERE);
    expect(queue.next()).toBeNull();
  });

  it("goes back, and on again from there", () => {
    const queue = new Queue();
    queue.offer([voice("a", 45), voice("b", 45.1), voice("c", 45.2)], HERE);
    expect(queue.previous()).toBeNull();
    queue.next();
    expect(queue.hasPrevious).toBe(false);
    expect(queue.next()?.code).toBe("b");
    expect(queue.previous()?.code).toBe("a");
    expect(queue.coming?.code).toBe("b");
    expect(played(queue)).toEqual(["b", "c"]);
  });
});
