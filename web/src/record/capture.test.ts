import { beforeEach, describe, expect, it, vi } from "vitest";
import { Capture, type Keep } from "./capture";

/** A recorder that does what it is told, without sound. */
class Recorder extends EventTarget {
  state: RecordingState = "inactive";
  start = () => this.to("recording", "start");
  pause = () => this.to("paused", "pause");
  resume = () => this.to("recording", "resume");
  requestData = vi.fn();
  stop = () => {
    this.state = "inactive";
    this.gives("last");
    this.dispatchEvent(new Event("stop"));
  };

  gives(sound: string): void {
    this.dispatchEvent(Object.assign(new Event("dataavailable"), { data: new Blob([sound]) }));
  }

  private to(state: RecordingState, event: string): void {
    this.state = state;
    this.dispatchEvent(new Event(event));
  }
}

class Track extends EventTarget {
  stop = vi.fn();
}

let recorder: Recorder;
let track: Track;
let kept: string[];
const told = { paused: vi.fn(), resumed: vi.fn(), stopped: vi.fn() };
const keep: Keep = async (number, sound) => {
  kept[number] = new TextDecoder().decode(sound);
};

function capture(keeping: Keep = keep): Capture {
  const stream = { getAudioTracks: () => [track], getTracks: () => [track] } as unknown as MediaStream;
  return new Capture(stream, recorder as unknown as MediaRecorder, keeping, told);
}

beforeEach(() => {
  [recorder, track, kept] = [new Recorder(), new Track(), []];
  vi.clearAllMocks();
});

const stopped = () => vi.waitFor(() => expect(told.stopped).toHaveBeenCalledOnce());

describe("a take", () => {
  it("is kept piece by piece, in order, the last included, before it is said to be over", async () => {
    const slow: Keep = async (number, sound) => {
      await new Promise((resolve) => setTimeout(resolve, 10 - 4 * number));
      await keep(number, sound);
    };
    const ours = capture(slow);
    ours.start();
    recorder.gives("one");
    recorder.gives("");
    recorder.gives("two");
    ours.end("person");
    await stopped();
    expect(kept).toEqual(["one", "two", "last"]);
    expect(told.stopped).toHaveBeenCalledWith("person");
    expect(track.stop).toHaveBeenCalled();
  });

  it("rests, is written down and stays alive when a call takes the microphone", () => {
    const ours = capture();
    ours.start();
    track.dispatchEvent(new Event("mute"));
    expect(told.paused).toHaveBeenCalledWith("interrupted");
    expect(recorder.requestData).toHaveBeenCalled();
    expect([ours.isPaused, ours.watch.isRunning]).toEqual([true, false]);
    ours.resume();
    expect([ours.isPaused, ours.watch.isRunning]).toEqual([false, true]);
    expect(told.stopped).not.toHaveBeenCalled();
  });

  it("is kept when the microphone is pulled out", async () => {
    capture().start();
    recorder.gives("one");
    track.dispatchEvent(new Event("ended"));
    await stopped();
    expect(told.stopped).toHaveBeenCalledWith("lost");
    expect(kept).toEqual(["one", "last"]);
  });

  it("ends as lost when the recorder ends by itself", async () => {
    capture().start();
    recorder.stop();
    await stopped();
    expect(told.stopped).toHaveBeenCalledWith("lost");
  });

  it("ends, and says why, when the device is full", async () => {
    const ours = capture(() => Promise.reject(new DOMException("", "QuotaExceededError")));
    ours.start();
    recorder.gives("one");
    await stopped();
    expect(told.stopped).toHaveBeenCalledWith("full");
    expect(ours.isOver).toBe(true);
  });

  it("takes a second stop, and a pause after the end, for nothing", async () => {
    const ours = capture();
    ours.start();
    ours.end("limit");
    ours.end("person");
    ours.pause("person");
    await stopped();
    expect(told.stopped).toHaveBeenCalledWith("limit");
    expect(told.paused).not.toHaveBeenCalled();
  });
});
