// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import type { Vault } from "../outbox/vault";
import { Deck } from "./deck";

vi.mock("../texts", () => ({ text: (key: string) => key, language: () => "en" }));

/** What is open at this moment: the microphone, the meter, the lock of the take. */
const open = new Set<string>();
/** What does not work, and the name of the error that it raises. */
const broken = new Map<string, string>();
const taken = vi.fn();
const wake = vi.fn(async () => undefined);

function use(part: string): void {
  if (broken.has(part)) throw new DOMException("", broken.get(part));
}

class Recorder extends EventTarget {
  static isTypeSupported = () => true;
  state: RecordingState = "inactive";
  mimeType = "audio/webm";
  pause = () => (this.state = "paused");
  resume = () => (this.state = "recording");
  requestData = () => undefined;

  constructor() {
    super();
    use("recorder");
  }

  start = () => {
    use("start");
    this.state = "recording";
    this.dispatchEvent(new Event("start"));
  };

  stop = () => {
    this.state = "inactive";
    this.dispatchEvent(new Event("stop"));
  };
}

class Context extends EventTarget {
  state = "suspended";
  resume = wake;
  createAnalyser = () => ({ getFloatTimeDomainData: () => undefined });
  createMediaStreamSource = () => ({ connect: () => undefined });
  close = async () => void open.delete("meter");

  constructor() {
    super();
    use("meter");
    open.add("meter");
  }
}

const locks = {
  request: async (_: string, work: () => Promise<void>) => {
    await Promise.resolve(); // the browser takes its time
    open.add("lock");
    await work();
    open.delete("lock");
  },
};

async function getUserMedia(): Promise<unknown> {
  use("microphone");
  open.add("microphone");
  const track = Object.assign(new EventTarget(), { stop: () => open.delete("microphone") });
  return { getTracks: () => [track], getAudioTracks: () => [track] };
}

const vault = {
  put: async () => use("put"),
  append: async () => undefined,
  hasSound: async () => true,
  change: async () => {
    use("change");
    return {};
  },
} as unknown as Vault;

beforeEach(() => {
  document.body.innerHTML = `
    <div data-deck data-state="idle">
      <span data-status></span><span data-countdown></span><svg data-strip></svg><p data-fault></p><p data-notice></p><p data-announce></p>
      <button data-pause><span data-pause-label></span></button><button data-rec><span data-rec-label></span></button>
      <input type="checkbox" data-chime>
    </div>`;
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia }, locks });
  vi.stubGlobal("MediaRecorder", Recorder);
  vi.stubGlobal("AudioContext", Context);
  for (const each of [open, broken]) each.clear();
  vi.clearAllMocks();
  const opened = async (): Promise<Vault> => {
    use("vault");
    return vault;
  };
  new Deck(deck(), { vault: opened, limit_s: 120, silence_dbfs: -60, handle: () => null, taken });
});

const deck = (): HTMLElement => document.querySelector("[data-deck]")!;
const press = (key: string): void => document.querySelector<HTMLElement>(`[data-${key}]`)!.click();
const said = (): string | null => document.querySelector("[data-notice]")!.textContent;

async function reaches(state: string): Promise<void> {
  await vi.waitFor(() => expect(deck().dataset["state"]).toBe(state));
}

it.each([
  ["microphone", "NotAllowedError", "trouble_refused"],
  ["recorder", "NotSupportedError", "trouble_unsupported"],
  ["meter", "NotSupportedError", "trouble_busy"],
  ["vault", "InvalidStateError", "trouble_storage"],
  ["put", "QuotaExceededError", "trouble_full"],
  ["start", "NotReadableError", "trouble_busy"],
])("leaves nothing open where the %s fails, says why, and can be asked again", async (part, error, trouble) => {
  broken.set(part, error);
  press("rec");
  await vi.waitFor(() => expect(said()).toBe(`recorder.${trouble}`));
  await vi.waitFor(() => expect([...open]).toEqual([]));
  expect(deck().dataset["state"]).toBe("idle");
  broken.clear();
  press("rec");
  await reaches("recording");
});

it("lets go of everything once a take is kept", async () => {
  press("rec");
  await reaches("recording");
  await vi.waitFor(() => expect([...open].sort()).toEqual(["lock", "meter", "microphone"]));
  press("rec");
  await vi.waitFor(() => expect(taken).toHaveBeenCalledOnce());
  await vi.waitFor(() => expect([...open]).toEqual([]));
});

it("can be asked again after a take that the device had no room to note down", async () => {
  press("rec");
  await reaches("recording");
  broken.set("change", "QuotaExceededError");
  press("rec");
  await vi.waitFor(() => expect(said()).toBe("recorder.ended_unkept"));
  await vi.waitFor(() => expect([...open]).toEqual([]));
  expect([deck().dataset["state"], taken.mock.calls]).toEqual(["idle", []]);
});

it("has its meter hear again when a take goes on", async () => {
  press("rec");
  await reaches("recording");
  press("pause");
  await reaches("paused");
  expect(wake).not.toHaveBeenCalled();
  press("pause");
  await reaches("recording");
  expect(wake).toHaveBeenCalledOnce();
});
