import { describe, expect, it } from "vitest";
import { LADDER, extensionOf, recorderOf, rungs, type Maker } from "./ladder";

const stream = {} as MediaStream;
const made: Maker = (_, options) => ({ mimeType: options.mimeType }) as MediaRecorder;

describe("rungs", () => {
  it("prefers Opus in WebM, and AAC where that is not done", () => {
    expect(rungs(() => true)[0]?.type).toBe("audio/webm;codecs=opus");
    expect(rungs((type) => type.startsWith("audio/mp4"))[0]?.type).toBe("audio/mp4;codecs=mp4a.40.2");
  });

  it("falls to the container alone", () => {
    expect(rungs((type) => type === "audio/mp4")).toEqual([{ type: "audio/mp4", extension: "m4a" }]);
  });
});

describe("recorderOf", () => {
  it("steps down when the browser promised more than it can do", () => {
    const broken: Maker = (from, options) => {
      if (options.mimeType?.includes("webm")) throw new DOMException("", "NotSupportedError");
      return made(from, options);
    };
    expect(recorderOf(stream, LADDER, broken)?.mimeType).toBe("audio/mp4;codecs=mp4a.40.2");
  });

  it("ends with what the browser does unasked, or with nothing", () => {
    expect(recorderOf(stream, [], made)).not.toBeNull();
    const none: Maker = () => {
      throw new DOMException("", "NotSupportedError");
    };
    expect(recorderOf(stream, LADDER, none)).toBeNull();
  });
});

it("names files by their container", () => {
  expect(extensionOf("audio/webm;codecs=opus")).toBe("webm");
  expect(extensionOf("audio/MP4; codecs=x")).toBe("m4a");
  expect(extensionOf("audio/wav")).toBe("wav");
  expect(extensionOf("")).toBe("audio");
});
